import { ActionIcon, Button, Text, TextInput, Tooltip } from '@mantine/core';
import {
  IconArrowBarToDown,
  IconChevronDown,
  IconChevronUp,
  IconClock,
  IconDownload,
  IconFilter,
  IconSearch,
} from '@tabler/icons-react';
import { routes } from '@vgpu/api';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { usePreference } from '../app/preferences.ts';
import { useTaskLive } from '../live/task-live.ts';
import { client } from '../server/client.ts';
import { bytes, count, plural } from '../ui/figures.ts';
import { ScrollBox } from '../ui/scroll-box.tsx';
import { Failed, Loading } from '../ui/states.tsx';
import { LogRow } from './log-lines.tsx';
import { logStore } from './log-store.ts';
import classes from './log-view.module.css';
import { type LogSearch, useLogSearch } from './use-log-search.ts';
import { rowHeight, useLongScroll } from './use-long-scroll.ts';

interface LogViewProps {
  task: string;
  name: string;
  /** Whether the task may still print. */
  open: boolean;
  height?: number | string;
  /** Whether `/` comes here. */
  pageSearch?: boolean;
}

function LiveLine({ task }: { task: string }) {
  const { liveLine } = useTaskLive(task);
  return liveLine ? <div className={classes.live}>{liveLine}</div> : null;
}

/** A log of any length: search, follow, download. */
export function LogView({ task, name, open, height = 320, pageSearch = false }: LogViewProps) {
  const store = logStore(task);
  useEffect(() => store.follow(), [store]);
  useSyncExternalStore(store.listen, () => store.version);
  const [times, setTimes] = usePreference('logTimes');
  const [only, setOnly] = useState(false);
  const search = useLogSearch(task, open);
  const area = useRef<HTMLDivElement>(null);
  const filtered = only && search.needle !== '';
  const rows = useLongScroll(area, filtered ? search.hits.length : store.total);
  const seqAt = (row: number) => (filtered ? search.hits[row]! : row);
  const digits = String(store.total).length * 1.34;
  const hit = search.hits[search.at];

  const wanted = Array.from({ length: Math.max(0, rows.end - rows.first) }, (_, i) => seqAt(rows.first + i));
  const missing = wanted.filter((seq) => seq !== undefined && !store.line(seq));
  const missingKey = missing.length > 0 ? `${missing[0]}-${missing.at(-1)}` : '';
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says which lines are missing
  useEffect(() => {
    if (!missingKey) return;
    const timer = setTimeout(() => {
      for (const seq of missing) store.want(seq, seq + 1);
    }, 60); // lines that only fly past are not fetched
    return () => clearTimeout(timer);
  }, [missingKey, store]);

  const go = (by: number) => {
    const seq = search.step(by);
    if (seq !== undefined) rows.showRow(filtered ? search.hits.indexOf(seq) : seq);
  };

  return (
    <div className={classes.frame} style={{ height }}>
      <div className={classes.bar}>
        <SearchField search={search} go={go} pageSearch={pageSearch} name={name} />
        <Tool
          label="Only lines that match"
          icon={IconFilter}
          on={only}
          disabled={!search.needle}
          onClick={() => setOnly(!only)}
        />
        <Tool label="Show times" icon={IconClock} on={times} onClick={() => setTimes(!times)} />
        <span style={{ flex: 1 }} />
        <Text size="xs" c="dimmed" className="num" data-log-total={store.total}>
          {plural(store.total, 'line')}
        </Text>
        <Button
          size="compact-xs"
          variant={rows.following ? 'light' : 'default'}
          leftSection={<IconArrowBarToDown size={14} />}
          aria-pressed={rows.following}
          onClick={() => rows.follow(!rows.following)}
        >
          {open ? 'Follow' : 'To the end'}
        </Button>
        <Tooltip label="Download the whole log">
          <ActionIcon
            component="a"
            size="sm"
            variant="subtle"
            color="gray"
            aria-label={`Download the log of ${name}`}
            href={client.address(routes.tasks.logDownload, { params: { task } })}
            download={`${name}.log`}
          >
            <IconDownload size={16} />
          </ActionIcon>
        </Tooltip>
      </div>
      {store.dropped > 0 && (
        <div className={classes.note} role="status">
          {bytes(store.dropped)} came too fast to be kept and were dropped.
        </div>
      )}
      <ScrollBox className={classes.area} ref={area} onScroll={rows.onScroll} label={`Log of ${name}`}>
        {!store.ready && <Loading lines={4} />}
        {store.ready && store.error !== null && store.total === 0 && <Failed error={store.error} />}
        {store.ready && store.error === null && store.total === 0 && (
          <Text size="xs" c="dimmed" p="sm">
            {open ? 'Nothing printed yet. Lines appear here as they come.' : 'The task printed nothing.'}
          </Text>
        )}
        <div className={classes.rows} style={{ height: rows.physicalHeight }}>
          {wanted.map((seq, i) =>
            seq === undefined ? null : (
              <LogRow
                key={seq}
                seq={seq}
                line={store.line(seq)}
                style={{ transform: `translateY(${rows.offset + i * rowHeight}px)` }}
                digits={digits}
                times={times}
                needle={search.needle}
                hit={seq === hit}
              />
            ),
          )}
        </div>
      </ScrollBox>
      {open && <LiveLine task={task} />}
    </div>
  );
}

interface ToolProps {
  label: string;
  icon: React.ComponentType<{ size: number }>;
  on: boolean;
  disabled?: boolean;
  onClick: () => void;
}

function Tool({ label, icon: Icon, on, disabled, onClick }: ToolProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        size="sm"
        variant={on ? 'light' : 'subtle'}
        color={on ? 'iris' : 'gray'}
        aria-label={label}
        aria-pressed={on}
        disabled={disabled}
        onClick={onClick}
      >
        <Icon size={16} />
      </ActionIcon>
    </Tooltip>
  );
}

interface SearchFieldProps {
  search: LogSearch;
  go: (by: number) => void;
  pageSearch: boolean;
  name: string;
}

function SearchField({ search, go, pageSearch, name }: SearchFieldProps) {
  const { hits, needle, at, more, busy } = search;
  const found = busy
    ? 'Searching…'
    : `${at >= 0 ? `${count(at + 1)} of ` : ''}${count(hits.length)}${more ? '+' : ''} found`;
  return (
    <>
      <TextInput
        size="xs"
        w={{ base: 130, sm: 190 }}
        leftSection={<IconSearch size={14} />}
        placeholder="Search the log"
        aria-label={`Search the log of ${name}`}
        value={search.text}
        onChange={(event) => search.setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') go(event.shiftKey ? -1 : 1);
          if (event.key === 'Escape') search.setText('');
        }}
        {...(pageSearch ? { 'data-page-search': true } : {})}
      />
      {needle && (
        <>
          <Text size="xs" c="dimmed" className="num" role="status">
            {found}
          </Text>
          <ActionIcon
            size="sm"
            variant="subtle"
            color="gray"
            aria-label="Former match"
            onClick={() => go(-1)}
          >
            <IconChevronUp size={16} />
          </ActionIcon>
          <ActionIcon size="sm" variant="subtle" color="gray" aria-label="Next match" onClick={() => go(1)}>
            <IconChevronDown size={16} />
          </ActionIcon>
        </>
      )}
    </>
  );
}
