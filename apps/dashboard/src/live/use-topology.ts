import type { UseQueryResult } from '@tanstack/react-query';
import { routes, type Topology } from '@vgpu/api';
import { useEffect } from 'react';
import { queryClient } from '../server/query-client.ts';
import { routeQuery, useRoute } from '../server/use-route.ts';
import { stream } from './stream.ts';

/** The topology, refreshed every second by the stream while it is on screen. */
export function useTopology(): UseQueryResult<Topology> {
  const query = useRoute(routes.machine.topology, {});
  useEffect(() => {
    const { queryKey } = routeQuery(routes.machine.topology, {});
    return stream.subscribe('topology', (frame) => {
      if (frame.type === 'topology') queryClient.setQueryData(queryKey, frame.topology);
    });
  }, []);
  return query;
}
