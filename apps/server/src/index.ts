export { configFromEnv, type ServerConfig } from './config.ts';
export { createServer, type ServerOptions, type VgpuServer } from './create-server.ts';
