import { ActionIcon, AppShell, Box, Burger, Group, Kbd, Menu, ScrollArea } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { spotlight } from '@mantine/spotlight';
import { IconLogout, IconSearch, IconUser } from '@tabler/icons-react';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { routes } from '@vgpu/api';
import { lazy, Suspense, useEffect } from 'react';
import { stream } from '../live/stream.ts';
import { useJobsTopic } from '../live/use-jobs-topic.ts';
import { client } from '../server/client.ts';
import { queryClient } from '../server/query-client.ts';
import { useRoute } from '../server/use-route.ts';
import { ConnectionBanner, ConnectionDot } from './connection.tsx';
import { destinations } from './main-nav.ts';
import { SchemeButton } from './scheme-button.tsx';
import classes from './shell.module.css';
import { Shortcuts } from './shortcuts.tsx';

const Palette = lazy(() => import('./palette.tsx'));

function Brand() {
  return (
    <Link to="/" className={classes.brand}>
      <img src="/icon.svg" alt="" width={26} height={26} />
      vgpu
    </Link>
  );
}

function Navigation({ onPick }: { onPick: () => void }) {
  return (
    <ScrollArea flex={1} mx={-4} px={4} type="auto">
      {destinations.map(({ group, items }) => (
        <div key={group}>
          <div className={classes.group}>{group}</div>
          {items.map(({ to, title, icon: Icon }) => (
            <Link
              key={to}
              to={to}
              className={classes.link}
              activeOptions={{ exact: to === '/', includeSearch: false }}
              onClick={onPick}
            >
              <Icon size={18} stroke={1.7} aria-hidden />
              {title}
            </Link>
          ))}
        </div>
      ))}
    </ScrollArea>
  );
}

function UserMenu() {
  const who = useRoute(routes.access.whoami, {}, { staleTime: Number.POSITIVE_INFINITY });
  const navigate = useNavigate();
  const signOut = async () => {
    await client.call(routes.access.signOut, {}).catch(() => undefined);
    stream.close();
    queryClient.clear();
    await navigate({ to: '/sign-in', search: {} });
  };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Account">
          <IconUser size={19} stroke={1.7} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {who.data && (
          <Menu.Label c="dimmed">
            {who.data.user} · project {who.data.project}
          </Menu.Label>
        )}
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={signOut}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** The frame of every page: navigation, search, connection, account. */
export function Shell() {
  const [opened, { toggle, close }] = useDisclosure(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  useJobsTopic();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page closes the drawer and starts at its top
  useEffect(() => close(), [path]);
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <AppShell
        header={{ height: 56 }}
        navbar={{ width: 216, breakpoint: 'md', collapsed: { mobile: !opened } }}
        padding={{ base: 'sm', sm: 'lg' }}
        styles={{
          header: { background: 'var(--vg-surface)', borderColor: 'var(--vg-border)' },
          navbar: { background: 'var(--vg-surface)', borderColor: 'var(--vg-border)' },
        }}
      >
        <AppShell.Header>
          <Group h="100%" px="md" justify="space-between" wrap="nowrap">
            <Group gap="sm" wrap="nowrap">
              <Burger opened={opened} onClick={toggle} hiddenFrom="md" size="sm" aria-label="Navigation" />
              <Brand />
            </Group>
            <Group gap="xs" wrap="nowrap">
              <Box visibleFrom="sm">
                <button type="button" className={classes.search} onClick={() => spotlight.open()}>
                  <IconSearch size={15} aria-hidden />
                  <span style={{ flex: 1 }}>Search or go to…</span>
                  <Kbd size="xs">Ctrl K</Kbd>
                </button>
              </Box>
              <ActionIcon
                hiddenFrom="sm"
                variant="subtle"
                color="gray"
                size="lg"
                aria-label="Search"
                onClick={() => spotlight.open()}
              >
                <IconSearch size={19} stroke={1.7} />
              </ActionIcon>
              <ConnectionDot />
              <SchemeButton />
              <UserMenu />
            </Group>
          </Group>
        </AppShell.Header>
        <AppShell.Navbar p="sm" pt={4}>
          <Navigation onPick={close} />
        </AppShell.Navbar>
        <AppShell.Main id="main" tabIndex={-1} style={{ outline: 'none' }}>
          <div className={classes.main}>
            <ConnectionBanner />
            <Outlet />
          </div>
        </AppShell.Main>
      </AppShell>
      <Shortcuts />
      <Suspense fallback={null}>
        <Palette />
      </Suspense>
    </>
  );
}
