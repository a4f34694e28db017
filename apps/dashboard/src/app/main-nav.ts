import {
  IconCards,
  IconChartDots3,
  IconCpu,
  IconDatabase,
  IconHourglass,
  IconLayoutDashboard,
  IconListDetails,
  IconPlus,
  IconSettings,
  IconSitemap,
  type TablerIcon,
} from '@tabler/icons-react';

export interface Destination {
  to: string;
  title: string;
  /** Second key after `g`. */
  key: string;
  icon: TablerIcon;
  about: string;
}

/** The pages of the navigation, in groups; palette and keyboard read it too. */
export const destinations: readonly { group: string; items: readonly Destination[] }[] = [
  {
    group: 'Work',
    items: [
      {
        to: '/',
        title: 'Overview',
        key: 'o',
        icon: IconLayoutDashboard,
        about: 'Capacity, running jobs, health',
      },
      { to: '/jobs', title: 'Jobs', key: 'j', icon: IconListDetails, about: 'All jobs: search, stop, retry' },
      { to: '/new', title: 'New job', key: 'n', icon: IconPlus, about: 'Run a script over datasets' },
      {
        to: '/compare',
        title: 'Compare',
        key: 'c',
        icon: IconChartDots3,
        about: 'Several jobs side by side',
      },
      {
        to: '/datasets',
        title: 'Datasets',
        key: 'd',
        icon: IconDatabase,
        about: 'Versions, statistics, cleaning',
      },
    ],
  },
  {
    group: 'Machine',
    items: [
      { to: '/queue', title: 'Queue', key: 'q', icon: IconHourglass, about: 'What waits, and why' },
      {
        to: '/topology',
        title: 'Topology',
        key: 't',
        icon: IconSitemap,
        about: 'Services, workers and slices, live',
      },
      {
        to: '/accelerators',
        title: 'Accelerators',
        key: 'a',
        icon: IconCpu,
        about: 'Devices and their readings',
      },
      { to: '/images', title: 'Images', key: 'i', icon: IconCards, about: 'Worker images' },
    ],
  },
  {
    group: 'You',
    items: [
      {
        to: '/settings',
        title: 'Settings',
        key: 's',
        icon: IconSettings,
        about: 'Tokens, appearance, keyboard',
      },
    ],
  },
];
