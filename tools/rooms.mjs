// Checks the rooms: dependency-cruiser with the rules of .dependency-cruiser.cjs.
// It reads TypeScript through the compiler's old programming interface, which TypeScript 7 no longer has: here alone
// `typescript` means version 5.
import { registerHooks } from 'node:module';

registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier.replace(/^typescript(?=$|\/)/, 'typescript-5'), context),
});
process.argv.splice(2, 0, '--config', '.dependency-cruiser.cjs', 'packages', 'apps');
await import('../node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
