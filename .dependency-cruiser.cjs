/**
 * The rooms of the house and which rooms each may enter: one direction, downwards only.
 * A room is entered by its front door (src/index.ts), never by one of its windows.
 */
const rooms = {
  'packages/core': [],
  'packages/api': ['packages/core'],
  'packages/queue': ['packages/core'],
  'packages/store': ['packages/core', 'packages/queue'],
  'packages/telemetry': ['packages/core'],
  'packages/ingest': ['packages/core'],
  'packages/devices': ['packages/core', 'packages/scheduler'],
  'packages/scheduler': ['packages/core'],
  'packages/drivers': ['packages/core', 'packages/telemetry'],
  'packages/simulator': ['packages/core', 'packages/scheduler'],
  'apps/server': [
    'packages/core',
    'packages/api',
    'packages/store',
    'packages/queue',
    'packages/telemetry',
    'packages/ingest',
    'packages/devices',
    'packages/scheduler',
    'packages/drivers',
  ],
  'apps/cli': [
    'packages/core',
    'packages/api',
    'packages/scheduler',
    'packages/simulator',
    'packages/devices',
    'packages/ingest',
    'packages/drivers',
  ],
  'apps/dashboard': ['packages/core', 'packages/api'],
};

const literal = (path) => path.replaceAll('.', '\\.');

const downwardsOnly = Object.entries(rooms).map(([room, below]) => ({
  name: `${room.replace('/', '-')}-stays-in-its-rooms`,
  comment: `${room} may use ${below.length > 0 ? below.join(', ') : 'no other room'}.`,
  severity: 'error',
  from: { path: `^${literal(room)}/` },
  to: { path: '^(packages|apps)/', pathNot: `^(${[room, ...below].map(literal).join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...downwardsOnly,
    {
      name: 'by-the-front-door',
      comment: 'Another room is entered by its src/index.ts; its conformance suite by src/conformance.ts.',
      severity: 'error',
      from: { path: '^((?:packages|apps)/[^/]+)/' },
      to: {
        path: '^(packages|apps)/[^/]+/src/',
        pathNot: ['^$1/', '^(packages|apps)/[^/]+/src/(index|conformance)\\.ts$'],
      },
    },
    {
      name: 'no-circles',
      comment:
        'A circle of files cannot be read from either end. Types, and what is loaded later, may point both ways.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only', 'dynamic-import'] } },
    },
    {
      name: 'no-io-below',
      comment: 'core and scheduler are pure: no files, no network, no clock of their own.',
      severity: 'error',
      from: { path: '^packages/(core|scheduler|api)/src', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'declared',
      comment: 'What a room uses from npm stands in its own package.json.',
      severity: 'error',
      from: { path: '^(packages|apps)/', pathNot: '\\.test\\.tsx?$|/testing/|vite\\.config' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|fixtures)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
