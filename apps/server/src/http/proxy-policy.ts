/**
 * The content security policy of pages that tasks serve. They share the dashboard's origin, so the browser is told to
 * let them load and reach what is under their own `/proxy/<task>/<port>/` and nothing else: not the API, not the
 * dashboard, no other site. Popups are off as well, since a page may script a window of its own origin that it opened.
 * `allow-same-origin` has to stay: without it browsers send no session cookie with the page's requests for its own
 * scripts and data, and TensorBoard or Jupyter would get nothing. Paths in sources do not count after a redirect
 * (CSP Level 3, section 6.7.2.7), so redirects to elsewhere on this origin must not be passed on.
 * @param host as in the request's Host header, which was checked against the server's names before.
 * @param prefix such as `/proxy/task_…/6006`.
 */
export function proxyPolicy(host: string, prefix: string): string {
  const own = ['http', 'https', 'ws', 'wss'].map((scheme) => `${scheme}://${host}${prefix}/`).join(' ');
  const pages = ['http', 'https'].map((scheme) => `${scheme}://${host}${prefix}/`).join(' ');
  return [
    'sandbox allow-scripts allow-same-origin allow-forms allow-modals allow-downloads',
    `default-src ${own} data: blob: 'unsafe-inline' 'unsafe-eval'`,
    `frame-src ${pages} blob: data:`,
    `worker-src ${pages} blob:`,
    `form-action ${pages}`,
    `base-uri ${pages}`,
    "object-src 'none'",
    "frame-ancestors 'self'",
  ].join('; ');
}

/**
 * Where a worker's redirect leads, within its own prefix; undefined where it leads elsewhere on our origin.
 * @param location as the worker gave it: a path of its own, a relative one, or an address.
 */
export function proxyRedirect(
  location: string,
  { host, prefix, path }: { host: string; prefix: string; path: string },
): string | undefined {
  const base = new URL(`http://${host}${prefix}${path}`);
  const inside = (pathname: string) => pathname === prefix || pathname.startsWith(`${prefix}/`);
  // An absolute path is the worker's own, unless it knows of the prefix.
  const absolute = location.startsWith('/') && !/^\/[/\\]/.test(location);
  let to: URL;
  try {
    to = absolute ? new URL(`http://${host}${location}`) : new URL(location, base);
  } catch {
    return undefined;
  }
  if (to.host !== base.host) {
    // The worker may name itself by its own address; anything else is another site, which our origin can bear.
    if (['localhost', '127.0.0.1', '[::1]'].includes(to.hostname) && to.protocol === 'http:') {
      const local = to.pathname + to.search + to.hash;
      return inside(to.pathname) ? local : prefix + local;
    }
    return to.href;
  }
  const rest = to.pathname + to.search + to.hash;
  if (inside(to.pathname)) return rest;
  return absolute ? prefix + rest : undefined;
}
