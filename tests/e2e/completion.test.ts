import { spawnSync } from 'node:child_process';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { classification } from './harness/datasets.ts';
import { root, runCli } from './harness/run-cli.ts';
import { TestServer } from './harness/test-server.ts';

let server: TestServer;
let job: string;
beforeAll(async () => {
  server = await TestServer.start({ VGPU_WARM: '0' });
  const script = server.write('fresh/fresh.py', 'print(1)\n');
  const done = await server.vgpu(['run', script, '--name', 'first-job', '--cpu', '0.1', '--json']);
  job = done.json.job;
  await server.vgpu(['data', 'add', server.write('meadow.csv', classification(20)), '--name', 'meadow']);
  await server.vgpu(['secret', 'set', 'HF_TOKEN'], { stdin: 'value' });
  symlinkSync(join(root, 'vgpu'), join(server.work, 'vgpu'));
});
afterAll(() => server?.close());

/** Types a line in a real shell, presses the key, and tells what the shell offered. */
type Offer = (typed: string) => string[];

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  ...server.env,
  VGPU_NO_BUILD: '1',
  PATH: `${server.work}:${process.env.PATH}`,
  HOME: server.work,
  TERM: 'dumb',
});

function shell(program: string, args: string[], input?: string): string {
  const run = spawnSync(program, args, { cwd: server.work, env: environment(), encoding: 'utf8', input });
  if (run.status !== 0) throw new Error(`${program} ended with ${run.status}: ${run.stderr}`);
  return run.stdout;
}

/** The words of a line as bash has them: the one under the cursor last. */
const bash: Offer = (typed) => {
  const words = typed.split(' ');
  const code = `source <(vgpu completion bash)
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
$(complete -p vgpu | sed 's/.*-F \\([^ ]*\\).*/\\1/')
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return shell('bash', ['--norc', '-c', code]).split('\n').filter(Boolean);
};

const fish: Offer = (typed) =>
  shell('fish', ['-N', '-c', `vgpu completion fish | source; complete -C '${typed}'`])
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t')[0]!);

/**
 * zsh completes in its line editor alone, so one runs in a terminal of its own and Tab is pressed there. The editor
 * takes keys in their order: the one behind the two Tabs says what the line is now, once what they offer is shown.
 */
const zsh: Offer = (typed) => {
  const file = join(server.work, 'press-tab.zsh');
  writeFileSync(
    file,
    `zmodload zsh/zpty
zpty editor 'zsh -f -i'
reads() { local out all; while zpty -r -t editor out; do all+=$out; done; print -rn -- $all }
waits() { local all; repeat 400; do all+=$(reads); [[ $all == *$1* ]] && break; sleep 0.05; done; print -r -- $all }
zpty -w editor 'PS1=; PROMPT_EOL_MARK=; autoload -Uz compinit && compinit -u; source <(vgpu completion zsh); LISTMAX=1000; zstyle ":completion:*" list-prompt ""; zstyle ":completion:*" list-separator "|"; setopt no_always_last_prompt; stty cols 200; said() { print -rn -- " $BUFFER SHO""WN" }; zle -N said; bindkey "^Xs" said; print READ""Y'
waits READY >/dev/null
zpty -w -n editor ${JSON.stringify(typed)}$'\\t\\t\\C-xs'
waits SHOWN
zpty -d editor
`,
  );
  chmodSync(file, 0o755);
  return shell('zsh', ['-f', file])
    .replace(/\u001b\[[0-9;?]*[a-zA-Z]|\u001b[=>]|[\u0007\r]/g, '\n')
    .split(/[\n\s|]+/)
    .filter(Boolean);
};

const shells: Record<string, Offer> = { bash, zsh, fish };
for (const [name, offer] of Object.entries(shells)) {
  const there = spawnSync(name, ['--version']).status === 0;
  if (!there) console.warn(`completion for ${name} is not tested: ${name} is not installed`);

  describe.skipIf(!there)(name, () => {
    test('offers commands, the commands below them, and flags', () => {
      expect(offer('vgpu sh')).toContain('show');
      expect(offer('vgpu data ')).toEqual(expect.arrayContaining(['add', 'check', 'ls', 'show', 'rm']));
      expect(offer('vgpu run --isol')).toContain('--isolation');
      expect(offer('vgpu run --isolation ')).toEqual(expect.arrayContaining(['any', 'soft', 'hard']));
    });

    test('offers what the server has: jobs by id and name, datasets, secrets', () => {
      expect(offer('vgpu show ')).toEqual(expect.arrayContaining([job, 'first-job', 'latest']));
      expect(offer('vgpu data show m')).toContain('meadow');
      expect(offer('vgpu secret rm H')).toContain('HF_TOKEN');
    });

    test('offers files where files belong, datasets beside them', () => {
      const offered = offer('vgpu run fresh/fresh.py --data mea');
      expect(offered).toEqual(expect.arrayContaining(['meadow', 'meadow.csv']));
      expect(offer('vgpu show mea')).not.toContain('meadow.csv');
    });
  });
}

test('without a server there are still commands, and no words of an error', async () => {
  const env = { ...server.env, VGPU_HOME: `${server.home}-none` };
  const none = await runCli(['completion', 'words', '--', 'show', ''], { env });
  expect(none).toMatchObject({ code: 0, stdout: '', stderr: '' });
  expect((await runCli(['completion', 'words', '--', 'sh'], { env })).stdout).toMatch(/^show\t/m);
});
