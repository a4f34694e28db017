import { Alert, Button, Code, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconKey } from '@tabler/icons-react';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { routes } from '@vgpu/api';
import { type FormEvent, useEffect, useState } from 'react';
import { client } from '../server/client.ts';
import { queryClient } from '../server/query-client.ts';
import { routeQuery } from '../server/use-route.ts';
import { errorText } from '../ui/error-text.ts';

const route = getRouteApi('/sign-in');

/** Takes a token and turns it into a session. */
export default function SignIn() {
  const { next } = route.useSearch();
  const navigate = useNavigate();
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = 'Sign in · vgpu';
  }, []);

  const enter = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const who = await client.call(routes.access.signIn, { body: { token: token.trim() } });
      queryClient.clear();
      queryClient.setQueryData(routeQuery(routes.access.whoami, {}).queryKey, who);
      await navigate({ href: next?.startsWith('/') && !next.startsWith('//') ? next : '/' });
    } catch (error) {
      const { title } = errorText(error);
      setProblem(title);
      setBusy(false);
    }
  };

  return (
    <main style={{ minHeight: '100dvh', display: 'grid', placeItems: 'center', padding: 16 }}>
      <Paper className="panel" p="xl" w="100%" maw={420}>
        <form onSubmit={enter}>
          <Stack gap="md">
            <img src="/icon.svg" alt="" width={40} height={40} />
            <div>
              <Title order={1}>Sign in to vgpu</Title>
              <Text c="dimmed" size="sm" mt={4}>
                With a token. On the machine itself, open the link that <Code>vgpu up</Code> printed instead:
                it signs you in.
              </Text>
            </div>
            <PasswordInput
              label="Token"
              placeholder="vgpu_…"
              value={token}
              onChange={(event) => setToken(event.currentTarget.value)}
              leftSection={<IconKey size={16} />}
              autoFocus
              required
              withAsterisk={false}
              autoComplete="current-password"
              visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the token' }}
            />
            {problem && (
              <Alert
                color="red"
                variant="light"
                icon={<IconAlertTriangle size={18} />}
                role="alert"
                title="Not signed in"
              >
                <Text size="sm" c="var(--mantine-color-text)">
                  {problem}. Check that the whole token was pasted, and that it was not revoked.
                </Text>
              </Alert>
            )}
            <Button type="submit" loading={busy} disabled={token.trim() === ''} fullWidth>
              Sign in
            </Button>
            <Text size="xs" c="dimmed">
              The token of this machine’s administrator is in <Code>VGPU_HOME/token</Code>; others are made
              under Settings, or with <Code>vgpu token create</Code>.
            </Text>
          </Stack>
        </form>
      </Paper>
    </main>
  );
}
