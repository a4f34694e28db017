import { Box, type BoxProps, Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';

interface PanelProps extends BoxProps {
  title?: ReactNode;
  aside?: ReactNode;
  /** Without inner spacing: for tables. */
  flush?: boolean;
  children: ReactNode;
}

/** A titled surface. */
export function Panel({ title, aside, flush = false, children, ...box }: PanelProps) {
  const id = useId();
  return (
    <Box component="section" className="panel" aria-labelledby={title ? id : undefined} {...box}>
      {(title || aside) && (
        <div className="panel-head" style={flush ? { paddingBottom: 8 } : undefined}>
          <Title order={2} id={id} style={{ flex: 1 }}>
            {title}
          </Title>
          {aside}
        </div>
      )}
      {flush ? children : <Box p="md">{children}</Box>}
    </Box>
  );
}
