import { routes } from '@vgpu/api';
import { type Answers, none } from './answer.ts';
import { startedAt } from './seed.ts';

/** Who may do what: tokens and secrets. */
export const accessAnswers = (): Answers => [
  [routes.access.whoami, () => ({ user: 'admin', project: 'default', scopes: ['read', 'write', 'admin'] })],
  [routes.access.signIn, () => ({ user: 'admin', project: 'default', scopes: ['read', 'write', 'admin'] })],
  [routes.access.signOut, none],
  [
    routes.access.tokens,
    () => ({
      items: ['laptop', 'ci', 'notebook'].map((name, i) => ({
        id: `tok_${i}`,
        name,
        project: 'default',
        user: 'admin',
        scopes: i ? ['read', 'write'] : ['read', 'write', 'admin'],
        createdAt: startedAt - 864e5 * (i + 3),
        lastUsedAt: i === 1 ? null : startedAt - 36e5,
        expiresAt: i === 2 ? startedAt + 864e6 : null,
      })),
    }),
  ],
  [
    routes.access.createToken,
    ({ body }) => ({
      id: 'tok_9',
      project: 'default',
      user: 'admin',
      createdAt: Date.now(),
      lastUsedAt: null,
      expiresAt: null,
      scopes: ['read', 'write'],
      ...(body as object),
      secret: 'vgpu_5n0wflake5n0wflake5n0wflake5n0wflake',
    }),
  ],
  [routes.access.revokeToken, none],
  [
    routes.secrets.list,
    () => ({
      items: ['HF_TOKEN', 'gcp-key.json', 'OLD_KEY'].map((name, i) => ({
        name,
        bytes: [37, 2318, 20][i],
        text: i !== 1,
        readable: i !== 2,
        createdAt: startedAt - 864e5 * (i + 3),
        updatedAt: startedAt - 864e5 * i,
        updatedBy: 'admin',
      })),
    }),
  ],
  [routes.secrets.remove, none],
];
