import { routes } from '@vgpu/api';
import { useEffect } from 'react';
import { refresh } from '../server/use-route.ts';
import { stream } from './stream.ts';

/** Reads job lists, queue and capacity again when a job changes, at most every 700 ms. */
export function useJobsTopic(): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const leave = stream.subscribe('jobs', () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void refresh(routes.jobs.list, routes.machine.queue, routes.machine.capacity);
      }, 700);
    });
    return () => {
      clearTimeout(timer);
      leave();
    };
  }, []);
}
