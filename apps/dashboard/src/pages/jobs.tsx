import { Button, Group, SegmentedControl, Select, Text, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import {
  IconChartDots3,
  IconListDetails,
  IconPlayerStop,
  IconPlus,
  IconRefresh,
  IconSearch,
  IconTrash,
} from '@tabler/icons-react';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { routes } from '@vgpu/api';
import { isJobTerminal, type JobState, jobStates } from '@vgpu/core';
import { useState } from 'react';
import { jobActions } from '../jobs/job-actions.ts';
import { JobTable, type SortKey } from '../jobs/job-table.tsx';
import { useRoute } from '../server/use-route.ts';
import { Confirm } from '../ui/confirm.tsx';
import { plural } from '../ui/figures.ts';
import { Page } from '../ui/page.tsx';
import { stateText } from '../ui/state-badge.tsx';
import { Answer, Empty } from '../ui/states.tsx';
import { useAct } from '../ui/use-act.ts';

const route = getRouteApi('/app/jobs');
const step = 100;
const sortKeys: readonly SortKey[] = ['submittedAt', 'name', 'state', 'endedAt', 'priority'];

/** All jobs: filter, sort, search; stop, retry, delete and compare several at once. */
export default function Jobs() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/jobs' });
  const [limit, setLimit] = useState(step);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const { act, busy } = useAct();
  const state = jobStates.find((one) => one === search.state);
  const sort = sortKeys.find((one) => one === search.sort) ?? 'submittedAt';
  const order = search.order === 'asc' ? 'asc' : 'desc';
  const list = useRoute(
    routes.jobs.list,
    {
      query: {
        limit,
        sort,
        order,
        ...(state ? { state } : {}),
        ...(search.search ? { search: search.search } : {}),
      },
    },
    { keep: true, every: 15_000 },
  );
  const look = useDebouncedCallback(
    (text: string) =>
      void navigate({ search: (old) => ({ ...old, search: text || undefined }), replace: true }),
    200,
  );
  const jobs = list.data?.items ?? [];
  const chosen = jobs.filter((job) => picked.has(job.id));
  const ids = chosen.map((job) => job.id);
  const toggle = (of: readonly string[], on: boolean) => {
    const next = new Set(picked);
    for (const id of of) on ? next.add(id) : next.delete(id);
    setPicked(next);
  };
  const run = (work: (ids: string[]) => Promise<unknown>, done: string) =>
    act(() => work(ids), done).then((well) => well && setPicked(new Set()));

  return (
    <Page
      title="Jobs"
      about={
        list.data ? `${plural(list.data.total, 'job')}${state || search.search ? ' match' : ''}` : 'Loading…'
      }
      actions={
        <Button component={Link} to="/new" leftSection={<IconPlus size={16} />}>
          New job
        </Button>
      }
    >
      <Group gap="sm">
        <TextInput
          w={{ base: '100%', xs: 260 }}
          leftSection={<IconSearch size={15} />}
          placeholder="Search names, scripts, ids"
          aria-label="Search jobs"
          defaultValue={search.search ?? ''}
          onChange={(event) => look(event.currentTarget.value)}
          data-page-search
        />
        <SegmentedControl
          visibleFrom="md"
          size="xs"
          aria-label="State"
          value={state ?? 'all'}
          onChange={(value) =>
            void navigate({ search: (old) => ({ ...old, state: value === 'all' ? undefined : value }) })
          }
          data={[
            { value: 'all', label: 'All' },
            ...jobStates.map((one) => ({ value: one, label: stateText(one) })),
          ]}
        />
        <Select
          hiddenFrom="md"
          aria-label="State"
          w={150}
          value={state ?? 'all'}
          onChange={(value) =>
            void navigate({
              search: (old) => ({ ...old, state: value === 'all' ? undefined : (value as JobState) }),
            })
          }
          data={[
            { value: 'all', label: 'All states' },
            ...jobStates.map((one) => ({ value: one, label: stateText(one) })),
          ]}
        />
      </Group>
      {chosen.length > 0 && (
        <Group className="panel" p="xs" px="md" gap="xs" role="toolbar" aria-label="Chosen jobs">
          <Text size="sm" fw={550} mr="auto">
            {plural(chosen.length, 'job')} chosen
          </Text>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconChartDots3 size={15} />}
            component={Link}
            to="/compare"
            search={{ jobs: ids.join(',') } as never}
          >
            Compare
          </Button>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconRefresh size={15} />}
            loading={busy}
            onClick={() => run(jobActions.retry, 'Failed and cancelled tasks are queued again.')}
          >
            Retry failed
          </Button>
          <Confirm
            title={`Stop ${plural(chosen.length, 'job')}?`}
            action="Stop jobs"
            onConfirm={() => run(jobActions.stop, 'Stopped.')}
            trigger={(open) => (
              <Button
                size="xs"
                variant="default"
                leftSection={<IconPlayerStop size={15} />}
                disabled={chosen.every((job) => isJobTerminal(job.state))}
                onClick={open}
              >
                Stop
              </Button>
            )}
          >
            Every task that has not ended is stopped. What it printed and kept so far stays.
          </Confirm>
          <Confirm
            title={`Delete ${plural(chosen.length, 'job')}?`}
            action="Delete jobs"
            onConfirm={() => run(jobActions.remove, 'Deleted.')}
            trigger={(open) => (
              <Button
                size="xs"
                variant="default"
                leftSection={<IconTrash size={15} />}
                disabled={!chosen.every((job) => isJobTerminal(job.state))}
                onClick={open}
              >
                Delete
              </Button>
            )}
          >
            Their logs, scores and files are deleted for good. Datasets stay.
          </Confirm>
        </Group>
      )}
      <div className="panel">
        <Answer query={list} lines={10}>
          {({ items, total }) =>
            items.length === 0 ? (
              <NoJobs filtered={Boolean(state || search.search)} />
            ) : (
              <>
                <JobTable
                  jobs={items}
                  picking={{ picked, toggle }}
                  sorting={{
                    sort,
                    order,
                    onSort: (key) =>
                      void navigate({
                        search: (old) => ({
                          ...old,
                          sort: key,
                          order: key === sort && order === 'desc' ? 'asc' : 'desc',
                        }),
                      }),
                  }}
                />
                {total > items.length && limit < 1000 && (
                  <Group justify="center" p="sm">
                    <Button
                      variant="subtle"
                      size="xs"
                      loading={list.isFetching}
                      onClick={() => setLimit(Math.min(1000, limit + step))}
                    >
                      Show more of {plural(total, 'job')}
                    </Button>
                  </Group>
                )}
              </>
            )
          }
        </Answer>
      </div>
    </Page>
  );
}

function NoJobs({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <Empty
        icon={IconSearch}
        title="No job matches"
        action={
          <Button component={Link} to="/jobs" variant="default" size="xs">
            Show all jobs
          </Button>
        }
      >
        Try another word, or another state.
      </Empty>
    );
  }
  return (
    <Empty
      icon={IconListDetails}
      title="No jobs yet"
      action={
        <Button component={Link} to="/new" leftSection={<IconPlus size={16} />}>
          New job
        </Button>
      }
    >
      Drop in a script and one or more CSV files: each file gets its own worker, and the scores come back in
      one table.
    </Empty>
  );
}
