import { Checkbox, SegmentedControl, Stack, Text, useMantineColorScheme } from '@mantine/core';
import { routes } from '@vgpu/api';
import { usePreference } from '../app/preferences.ts';
import { ShortcutList } from '../app/shortcuts.tsx';
import { useRoute } from '../server/use-route.ts';
import { Secrets } from '../settings/secrets.tsx';
import { Tokens } from '../settings/tokens.tsx';
import { Page } from '../ui/page.tsx';
import { Panel } from '../ui/panel.tsx';
import { Answer } from '../ui/states.tsx';
import { When } from '../ui/when.tsx';

/** Tokens, secrets, appearance and the keyboard. */
export default function Settings() {
  return (
    <Page
      title="Settings"
      about="Tokens and secrets belong to the server; appearance belongs to this browser."
    >
      <Tokens />
      <Secrets />
      <div
        style={{
          display: 'grid',
          gap: 16,
          alignItems: 'start',
          gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 380px), 1fr))',
        }}
      >
        <Appearance />
        <Panel title="Keyboard">
          <ShortcutList />
        </Panel>
        <About />
      </div>
    </Page>
  );
}

function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [times, setTimes] = usePreference('times');
  const [logTimes, setLogTimes] = usePreference('logTimes');
  return (
    <Panel title="Appearance">
      <Stack gap="lg">
        <div>
          <Text size="sm" fw={550} mb={6}>
            Theme
          </Text>
          <SegmentedControl
            fullWidth
            size="xs"
            aria-label="Theme"
            value={colorScheme}
            onChange={(value) => setColorScheme(value as 'auto')}
            data={[
              { value: 'light', label: 'Light' },
              { value: 'dark', label: 'Dark' },
              { value: 'auto', label: 'As the system' },
            ]}
          />
        </div>
        <div>
          <Text size="sm" fw={550} mb={6}>
            Times
          </Text>
          <SegmentedControl
            fullWidth
            size="xs"
            aria-label="Times"
            value={times}
            onChange={(value) => setTimes(value as 'relative')}
            data={[
              { value: 'relative', label: '3 minutes ago' },
              { value: 'absolute', label: 'Date and time' },
            ]}
          />
          <Text size="xs" c="dimmed" mt={6}>
            In your zone, {Intl.DateTimeFormat().resolvedOptions().timeZone}. The other form shows on hover.
          </Text>
        </div>
        <Checkbox
          checked={logTimes}
          onChange={(event) => setLogTimes(event.currentTarget.checked)}
          label="Show the time of each log line"
        />
      </Stack>
    </Panel>
  );
}

function About() {
  const health = useRoute(routes.machine.health, {});
  const who = useRoute(routes.access.whoami, {});
  return (
    <Panel title="About">
      <Answer query={health} lines={2}>
        {({ version, startedAt }) => (
          <Stack gap={6}>
            <Text size="sm">
              vgpu {version}, started <When at={startedAt} />
            </Text>
            {who.data && (
              <Text size="sm" c="dimmed">
                Signed in as {who.data.user} in project {who.data.project}, with {who.data.scopes.join(', ')}.
              </Text>
            )}
            <Text size="sm" c="dimmed">
              The API is described at{' '}
              <a href="/docs" style={{ color: 'var(--mantine-color-anchor)' }}>
                /docs
              </a>
              .
            </Text>
          </Stack>
        )}
      </Answer>
    </Panel>
  );
}
