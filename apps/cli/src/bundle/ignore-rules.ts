import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ignore, { type Ignore } from 'ignore';

/** Never uploaded: version control, environments, caches. Leave them in with `!name` in .vgpuignore. */
const always = [
  '.git',
  '.hg',
  '.svn',
  '.venv',
  'venv',
  '__pycache__',
  '*.pyc',
  'node_modules',
  '.ipynb_checkpoints',
  '.DS_Store',
];

export const ignoreFiles = ['.gitignore', '.vgpuignore'];

interface Scope {
  /** Folder of the rules relative to the root, '' for the root itself. */
  folder: string;
  rules: Ignore;
}

/** The rules that hold in a folder: those of its parents, then its own `.gitignore` and `.vgpuignore`. */
export class IgnoreRules {
  readonly #scopes: readonly Scope[];

  private constructor(scopes: readonly Scope[]) {
    this.#scopes = scopes;
  }

  static atRoot(root: string): IgnoreRules {
    return new IgnoreRules([{ folder: '', rules: ignore().add(always) }]).enter(root, '');
  }

  /** The rules inside a folder of the tree. */
  enter(root: string, folder: string): IgnoreRules {
    const rules = ignore();
    let found = false;
    for (const name of ignoreFiles) {
      const path = join(root, folder, name);
      if (!existsSync(path)) continue;
      rules.add(readFileSync(path, 'utf8'));
      found = true;
    }
    return found ? new IgnoreRules([...this.#scopes, { folder, rules }]) : this;
  }

  /** Whether a path relative to the root is left out. Deeper rules win over those above, as with git. */
  excludes(path: string, isFolder: boolean): boolean {
    let excluded = false;
    for (const { folder, rules } of this.#scopes) {
      const relative = folder ? path.slice(folder.length + 1) : path;
      const { ignored, unignored } = rules.test(isFolder ? `${relative}/` : relative);
      if (ignored) excluded = true;
      if (unignored) excluded = false;
    }
    return excluded;
  }
}
