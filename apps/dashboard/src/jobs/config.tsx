import { Button, Code, CopyButton, SimpleGrid, Text } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { Job } from '@vgpu/api';
import { Panel } from '../ui/panel.tsx';
import { ScrollBox } from '../ui/scroll-box.tsx';
import { specLines } from './spec-text.ts';

/** The spec as it was stored, in words and as JSON. */
export function Config({ job }: { job: Job }) {
  const json = JSON.stringify(job.spec, null, 2);
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }}>
      <Panel title="What was asked for" flush>
        <table className="table">
          <tbody>
            {[...specLines(job.spec), ['Job', job.id] as const, ['Folder', job.bundle] as const].map(
              ([name, value]) => (
                <tr key={name}>
                  <th scope="row" style={{ width: 150, verticalAlign: 'top' }}>
                    {name}
                  </th>
                  <td style={{ overflowWrap: 'anywhere' }}>{value}</td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      </Panel>
      <Panel
        title="Spec"
        aside={
          <CopyButton value={json}>
            {({ copied, copy }) => (
              <Button
                size="compact-xs"
                variant="default"
                leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
                onClick={copy}
              >
                {copied ? 'Copied' : 'Copy'}
              </Button>
            )}
          </CopyButton>
        }
      >
        <Text size="xs" c="dimmed" mb="xs">
          Sizes are bytes, times milliseconds, shares thousandths.
        </Text>
        <ScrollBox style={{ maxHeight: 560, overflow: 'auto' }} label="Spec as JSON">
          <Code
            block
            style={{ background: 'var(--vg-sunken)', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}
          >
            {json}
          </Code>
        </ScrollBox>
      </Panel>
    </SimpleGrid>
  );
}
