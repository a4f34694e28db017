import { MultiSelect } from '@mantine/core';
import { routes } from '@vgpu/api';
import type { SecretUse } from '@vgpu/core';
import { useRoute } from '../server/use-route.ts';
import { secretUseOf } from './secret-use.ts';

/** Which secrets the tasks get. What a duplicated job asked for in its own way stays as it was. */
export function SecretsField({ uses, set }: { uses: SecretUse[]; set: (uses: SecretUse[]) => void }) {
  const secrets = useRoute(routes.secrets.list, {});
  const known = secrets.data?.items ?? [];
  const names = [...new Set([...known.map((one) => one.name), ...uses.map((use) => use.name)])];
  return (
    <MultiSelect
      label="Secrets"
      description={
        names.length > 0
          ? 'As files under /run/secrets, and as variables of the same name'
          : 'There are none yet; Settings is where they are set'
      }
      data={names}
      disabled={names.length === 0}
      value={[...new Set(uses.map((use) => use.name))]}
      maxValues={16}
      searchable
      onChange={(chosen) =>
        set(
          chosen.flatMap((name) => {
            const before = uses.filter((use) => use.name === name);
            const secret = known.find((one) => one.name === name);
            return before.length > 0 ? before : [secretUseOf(name, secret?.text ?? false)];
          }),
        )
      }
    />
  );
}
