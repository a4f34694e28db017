import { useMantineColorScheme } from '@mantine/core';
import { Spotlight, type SpotlightActionData } from '@mantine/spotlight';
import {
  IconDatabase,
  IconKeyboard,
  IconListDetails,
  IconMoon,
  IconSearch,
  IconSun,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { routes } from '@vgpu/api';
import { useState } from 'react';
import { useRoute } from '../server/use-route.ts';
import { destinations } from './main-nav.ts';
import '@mantine/spotlight/styles.css';

const icon = { size: 18, stroke: 1.7 } as const;

/** Ctrl K: pages, jobs, datasets and a few commands, by name. */
export default function Palette() {
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const [query, setQuery] = useState('');
  const [opened, setOpened] = useState(false);
  const search = query.trim();
  const jobs = useRoute(
    routes.jobs.list,
    { query: { limit: 8, ...(search ? { search } : {}) } },
    { enabled: opened, keep: true },
  );
  const datasets = useRoute(routes.datasets.list, { query: { limit: 200 } }, { enabled: opened });
  const pages: SpotlightActionData[] = destinations
    .flatMap((one) => one.items)
    .map(({ to, title, about, icon: Icon }) => ({
      id: to,
      label: title,
      description: about,
      leftSection: <Icon {...icon} />,
      onClick: () => void navigate({ to }),
    }));
  const found: SpotlightActionData[] = (jobs.data?.items ?? []).map((job) => ({
    id: job.id,
    label: job.name,
    description: `${job.state.toLowerCase()} · ${job.script} · ${job.id}`,
    keywords: [job.id, search],
    leftSection: <IconListDetails {...icon} />,
    onClick: () => void navigate({ to: '/jobs/$job', params: { job: job.id } }),
  }));
  const data: SpotlightActionData[] = (datasets.data?.items ?? []).map((one) => ({
    id: one.id,
    label: one.name,
    description: `${one.versions.length === 1 ? '1 version' : `${one.versions.length} versions`}`,
    leftSection: <IconDatabase {...icon} />,
    onClick: () => void navigate({ to: '/datasets/$dataset', params: { dataset: one.name } }),
  }));
  const commands: SpotlightActionData[] = [
    {
      id: 'dark',
      label: 'Use the dark theme',
      leftSection: <IconMoon {...icon} />,
      onClick: () => setColorScheme('dark'),
    },
    {
      id: 'light',
      label: 'Use the light theme',
      leftSection: <IconSun {...icon} />,
      onClick: () => setColorScheme('light'),
    },
    {
      id: 'keys',
      label: 'Show the keyboard shortcuts',
      leftSection: <IconKeyboard {...icon} />,
      onClick: () => dispatchEvent(new Event('vgpu:help')),
    },
  ];
  const groups = [
    { group: 'Pages', actions: pages },
    { group: 'Jobs', actions: found },
    { group: 'Datasets', actions: data },
    { group: 'Commands', actions: commands },
  ].filter((one) => one.actions.length > 0);
  return (
    <Spotlight
      actions={groups}
      query={query}
      onQueryChange={setQuery}
      onSpotlightOpen={() => setOpened(true)}
      onSpotlightClose={() => setOpened(false)}
      shortcut={['mod + K']}
      tagsToIgnore={[]}
      nothingFound="Nothing has such a name."
      highlightQuery
      limit={14}
      scrollable
      maxHeight={460}
      searchProps={{
        leftSection: <IconSearch size={18} />,
        placeholder: 'Pages, jobs, datasets, commands',
        'aria-label': 'Search pages, jobs, datasets and commands',
      }}
    />
  );
}
