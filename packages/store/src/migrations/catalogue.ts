import { tenancy } from './0001-tenancy.ts';
import { data } from './0002-data.ts';
import { jobs } from './0003-jobs.ts';
import { queueAndPools } from './0004-queue-and-pools.ts';
import { quotas } from './0005-quotas.ts';
import { secrets } from './0006-secrets.ts';
import { mps } from './0007-mps.ts';
import type { Migration } from './migration.ts';

/** Every migration, oldest first. */
export const migrations: readonly Migration[] = [tenancy, data, jobs, queueAndPools, quotas, secrets, mps];
export const latestVersion: number = migrations.length;
