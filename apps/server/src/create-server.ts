import { type Route, routes } from '@vgpu/api';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import pino, { type Logger } from 'pino';
import type { ServerConfig } from './config.ts';
import { homePaths } from './home/paths.ts';
import { removeServerFile, writeServerFile } from './home/server-file.ts';
import { lockHome } from './home/server-lock.ts';
import { authenticator } from './http/authenticate.ts';
import { createApp } from './http/create-app.ts';
import { dashboard } from './http/dashboard.ts';
import { metricsPage } from './http/metrics-page.ts';
import { OriginGuard } from './http/origin-guard.ts';
import { PortProxy } from './http/proxy.ts';
import { type Handlers, register } from './http/registrar.ts';
import { streamSocket } from './http/stream-socket.ts';
import { portTaken } from './port-taken.ts';
import { publicUrl } from './public-url.ts';
import { openResources, type ResourceOptions, type Resources, warmUp } from './resources.ts';
import { acceleratorRoutes } from './routes/accelerators.ts';
import { accessRoutes } from './routes/access.ts';
import { bundleRoutes } from './routes/bundles.ts';
import { datasetRoutes } from './routes/datasets.ts';
import { imageRoutes } from './routes/images.ts';
import { jobRoutes } from './routes/jobs.ts';
import { machineRoutes } from './routes/machine.ts';
import { projectRoutes } from './routes/projects.ts';
import { secretRoutes } from './routes/secrets.ts';
import { taskRoutes } from './routes/tasks.ts';
import type { OpenDriver } from './systems/engine.ts';
import { startRounds } from './work/rounds.ts';

export interface VgpuServer {
  readonly app: FastifyInstance;
  readonly resources: Resources;
  /** Origin, such as `http://127.0.0.1:8470`; empty until started. */
  readonly url: string;
  start(): Promise<string>;
  /** Ends gracefully: workers run on, and the next start takes them up. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  log?: Logger;
  openDriver?: OpenDriver;
  inventory?: ResourceOptions['inventory'];
}

/**
 * Makes the server of a home. It holds the home's lock until it is stopped.
 * @throws VgpuError `SERVER_RUNNING` when another server has the home; `STORE_FAILED`.
 */
export async function createServer(config: ServerConfig, options: ServerOptions = {}): Promise<VgpuServer> {
  const log = options.log ?? pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: false }));
  const paths = homePaths(config.home);
  const unlock = lockHome(paths.lock, paths.serverFile);
  let resources: Resources;
  let app: FastifyInstance;
  try {
    resources = await openResources({
      config,
      log,
      openDriver: options.openDriver,
      inventory: options.inventory,
    });
    app = await buildApp(resources);
  } catch (error) {
    unlock();
    throw error;
  }
  const { engine, reconciler, scheduling, devices, datasets, work, health, images } = resources;
  let stopRounds = () => {};
  let stopped: Promise<void> | undefined;
  return {
    app,
    resources,
    get url() {
      return resources.url.value;
    },
    async start() {
      const [up] = await Promise.all([engine.connect(), devices.start(), datasets.sweep()]);
      await reconciler.restore(up);
      const address = await app.listen({ host: config.host, port: config.port }).catch(async (error) => {
        throw error.code === 'EADDRINUSE' ? await portTaken(config.host, config.port) : error;
      });
      resources.url.value = publicUrl(config.host, new URL(address).port);
      work.start();
      stopRounds = startRounds(resources);
      scheduling.open();
      health.ready = true;
      writeServerFile(paths.serverFile, {
        pid: process.pid,
        url: resources.url.value,
        version: config.version,
        startedAt: Date.now(),
      });
      void warmUp(engine, images, config, log);
      log.info({ url: resources.url.value, home: config.home }, 'vgpu is up');
      return resources.url.value;
    },
    stop() {
      stopped ??= stopServer(resources, app, stopRounds).finally(() => {
        removeServerFile(paths.serverFile);
        unlock();
      });
      return stopped;
    },
  };
}

async function buildApp(resources: Resources): Promise<FastifyInstance> {
  const { config, log, access } = resources;
  const guard = new OriginGuard(config.host, config.hosts);
  const app = await createApp({ log: log as FastifyBaseLogger, guard, version: config.version });
  const authenticate = authenticator(access, guard);
  const options = { authenticate, checkAnswers: config.checkAnswers };
  const add = <G extends Record<string, Route>>(group: G, handlers: Handlers<G>) =>
    app.register(async (scope) => register(scope, group, handlers, options));
  add(routes.jobs, jobRoutes(resources));
  add(routes.tasks, taskRoutes(resources));
  add(routes.bundles, bundleRoutes(resources));
  add(routes.datasets, datasetRoutes(resources));
  add(routes.machine, machineRoutes(resources));
  add(routes.accelerators, acceleratorRoutes(resources));
  add(routes.projects, projectRoutes(resources));
  add(routes.secrets, secretRoutes(resources));
  add(routes.images, imageRoutes(resources));
  add(routes.access, accessRoutes(resources));
  app.register(streamSocket(resources, authenticate));
  app.register(metricsPage(resources, authenticate));
  new PortProxy(resources, authenticate).register(app);
  await dashboard(app, config.dashboard);
  return app;
}

const SETTLE_MS = 10_000;

async function stopServer(resources: Resources, app: FastifyInstance, stopRounds: () => void): Promise<void> {
  const { scheduling, execution, engine, telemetry, datasets, devices, work, store, log } = resources;
  stopRounds();
  scheduling.close();
  await app.close();
  // Ends in progress are finished, but nobody waits for ever: the next start can finish them as well.
  // Idle workers hold memory for nobody then; those with a task run on.
  const idle = engine.keepWarm({ image: '', size: 0, memoryBudgetBytes: 0 }).catch((error) => {
    log.warn({ err: error }, 'idle workers were not removed');
  });
  const settled = Promise.all([execution.settle(), idle]);
  await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, SETTLE_MS).unref())]);
  await work.stop();
  execution.close();
  await telemetry.close();
  datasets.close();
  await devices.stop();
  await engine.close().catch((error) => log.warn({ err: error }, 'closing the driver failed'));
  await store.close();
  log.info('vgpu is down');
}
