import { type ErrorBody, VgpuError } from '@vgpu/core';
import { DriverError } from '@vgpu/drivers';
import { BadPattern } from '@vgpu/telemetry';
import type { FastifyError, FastifyInstance } from 'fastify';
import { errorOfDriver } from '../systems/start-failure.ts';

/** Whatever was thrown, as an error of the catalogue. */
export function knownError(error: unknown, request: string): VgpuError {
  if (error instanceof VgpuError) return error;
  if (error instanceof DriverError) return errorOfDriver(error);
  if (error instanceof BadPattern) return new VgpuError('BAD_REQUEST', { problem: error.message });
  const { statusCode, code, message } = error as FastifyError;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new VgpuError('TOO_LARGE', { what: 'the request', limit: '4 MiB', advice: 'Send less at once.' });
  }
  if (statusCode && statusCode >= 400 && statusCode < 500) {
    return new VgpuError('BAD_REQUEST', { problem: message });
  }
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
    return new VgpuError('DISK_FULL', { path: 'VGPU_HOME' }, { cause: error });
  }
  return new VgpuError('INTERNAL', { problem: message ?? String(error), request }, { cause: error });
}

export function setErrorAnswers(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const known = knownError(error, request.id);
    if (known.status >= 500) request.log.error({ err: error }, known.message);
    const body: { error: ErrorBody } = { error: known.toBody() };
    if (known.code === 'INTERNAL') {
      body.error = new VgpuError('INTERNAL', { ...known.details, request: request.id }).toBody();
    }
    return reply.code(known.status).type('application/json; charset=utf-8').send(JSON.stringify(body));
  });
}
