import { type Job, routes } from '@vgpu/api';
import { uploadBundle } from '../bundle/upload.ts';
import { client } from '../server/client.ts';
import { refresh } from '../server/use-route.ts';
import type { FormState } from './form-state.ts';
import { specOf } from './spec-of.ts';

/**
 * Imports the files, uploads the folder and submits.
 * @param key the same for each try of one submission, so that a lost answer submits nothing twice.
 */
export async function submit(form: FormState, key: string, tell: (step: string) => void): Promise<Job> {
  const datasets: (string | null)[] = [];
  for (const row of form.data) {
    if (!row.file) {
      datasets.push(row.dataset);
      continue;
    }
    tell(`Importing ${row.file.name}`);
    const result = await client.call(routes.datasets.add, {
      query: {
        file: row.file.name,
        ...(row.target ? { target: row.target } : {}),
        ...(Object.keys(row.clean).length ? { clean: JSON.stringify(row.clean) } : {}),
      },
      body: row.file,
    });
    datasets.push(`${result.name}@${result.version}`);
  }
  tell('Uploading the script');
  const bundle = form.files.length > 0 ? await uploadBundle(form.files) : form.bundle;
  tell('Submitting');
  const job = await client.call(
    routes.jobs.submit,
    { body: { spec: specOf(form, datasets), bundle: bundle ?? '' } },
    { idempotencyKey: key },
  );
  void refresh(routes.jobs.list, routes.datasets.list, routes.machine.capacity);
  return job;
}
