import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { DriverError } from '../errors.ts';
import { LABEL } from '../types.ts';
import type { EngineClient } from './client.ts';

const exec = promisify(execFile);
const CHAIN = 'VGPU-EGRESS';
/** Link-local (cloud metadata services), loopback, and private ranges: an egress worker reaches the internet, not the site. */
const FORBIDDEN = [
  '169.254.0.0/16',
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
];

interface NetworkDescription {
  Id: string;
  IPAM: { Config: { Subnet: string }[] };
}

/**
 * The network of workers with `network: egress`: a bridge on which workers do not see each other, whose packets
 * reach neither the host's own services nor the site's private or link-local addresses. Made on first use; its
 * packet filter is written anew each time, so a flushed table does not stay open. Returns the network's name.
 * Throws UNSUPPORTED where the filter cannot be set: no egress is better than an open one.
 */
export async function ensureEgressNetwork(client: EngineClient, homeId: string): Promise<string> {
  const { name, bridge } = namesOf(homeId);
  let network = await describe(client, name);
  if (!network) {
    await client.json('POST', '/networks/create', {
      body: {
        Name: name,
        Driver: 'bridge',
        CheckDuplicate: true,
        EnableIPv6: false,
        Labels: { [LABEL.managed]: 'true', [LABEL.home]: homeId },
        Options: {
          'com.docker.network.bridge.enable_icc': 'false',
          'com.docker.network.bridge.name': bridge,
        },
      },
      accept: [409],
    });
    network = await describe(client, name);
  }
  if (!network) throw new DriverError('ENGINE_FAILED', `the engine made no network ${name}`);
  try {
    await filter(bridge);
  } catch (cause) {
    throw new DriverError(
      'UNSUPPORTED',
      `the packet filter of egress workers cannot be set: ${(cause as Error).message.trim()}`,
      "network: egress needs root and iptables on the engine's host.",
      { cause },
    );
  }
  return name;
}

async function describe(client: EngineClient, name: string): Promise<NetworkDescription | undefined> {
  const response = await client.call('GET', `/networks/${name}`, { accept: [404] });
  const body = (await response.body.json()) as NetworkDescription;
  return response.statusCode === 404 ? undefined : body;
}

/** The host's resolvers: names must be resolved although a site's own resolver has a private address. */
function resolvers(): string[] {
  const text = existsSync('/etc/resolv.conf') ? readFileSync('/etc/resolv.conf', 'utf8') : '';
  return [...text.matchAll(/^nameserver\s+(\d+\.\d+\.\d+\.\d+)/gm)]
    .map((m) => m[1]!)
    .filter((ip) => !ip.startsWith('127.'));
}

const iptables = (...args: string[]) => exec('iptables', ['-w', '5', ...args]);

function chains(bridge: string): { out: string; host: string } {
  const out = `${CHAIN}-${bridge.slice(5)}`.slice(0, 25);
  return { out, host: `${out}-IN` };
}

async function filter(bridge: string): Promise<void> {
  const { out, host } = chains(bridge);
  for (const chain of [out, host]) {
    await iptables('-N', chain).catch(() => {});
    await iptables('-F', chain);
  }
  await iptables('-A', out, '-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'RETURN');
  for (const ip of resolvers()) {
    for (const protocol of ['udp', 'tcp'])
      await iptables('-A', out, '-d', ip, '-p', protocol, '--dport', '53', '-j', 'RETURN');
  }
  for (const range of FORBIDDEN) await iptables('-A', out, '-d', range, '-j', 'DROP');
  // To the host itself: nothing. (The engine's resolver is reached inside the container's own namespace.)
  await iptables('-A', host, '-j', 'DROP');
  for (const [table, chain] of [
    ['FORWARD', out],
    ['INPUT', host],
  ] as const) {
    await iptables('-D', table, '-i', bridge, '-j', chain).catch(() => {});
    await iptables('-I', table, '1', '-i', bridge, '-j', chain);
  }
}

/** Gives the network and its packet filter back; false when there was none. */
export async function removeEgressNetwork(client: EngineClient, homeId: string): Promise<boolean> {
  const { name, bridge } = namesOf(homeId);
  const status = await client.status('DELETE', `/networks/${name}`, { accept: [404] });
  if (status === 404) return false;
  const { out, host } = chains(bridge);
  for (const [table, chain] of [
    ['FORWARD', out],
    ['INPUT', host],
  ] as const) {
    await iptables('-D', table, '-i', bridge, '-j', chain).catch(() => {});
    await iptables('-F', chain).catch(() => {});
    await iptables('-X', chain).catch(() => {});
  }
  return true;
}

/** A bridge's name may have no more than 15 characters. */
function namesOf(homeId: string): { name: string; bridge: string } {
  return { name: `vgpu-egress-${homeId}`, bridge: `vgpu-${homeId.slice(0, 8)}` };
}
