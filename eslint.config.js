import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * Imports point one way (docs/architecture.md). For each folder: the folders of ours it may import from.
 * `types` are folders it may import from with `import type` only.
 */
const folders = {
  domain: { values: [] },
  mailing: { values: ['domain'] },
  sms: { values: ['domain'] },
  db: { values: ['domain'] },
  outgoing: { values: ['domain', 'mailing'] },
  health: { values: ['domain', 'db'] },
  sandbox: { values: [] },
  workflows: { values: ['domain'], types: ['activities'] },
  activities: { values: ['domain', 'mailing', 'sms', 'db', 'outgoing'] },
  api: { values: ['domain', 'mailing', 'sms', 'db', 'outgoing', 'health', 'workflows'] },
  worker: { values: ['domain', 'mailing', 'sms', 'db', 'outgoing', 'health', 'workflows', 'activities'] },
  embedded: { values: ['domain', 'worker'] },
  // The API's first client: of it only the schemas that its answers are read with (docs/decisions/0012-console.md).
  console: { values: ['domain', 'api'] },
};
const all = [...Object.keys(folders), 'scripts', 'bench', 'chaos', 'test', 'examples'];

const direction = Object.entries(folders).map(([folder, { values, types = [] }]) => ({
  files: [`${folder}/**/*.{ts,tsx}`],
  // The process that composes them.
  ignores: ['api/main.ts'],
  rules: {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: all
              .filter((other) => other !== folder && !values.includes(other) && !types.includes(other))
              .flatMap((other) => [`../${other}/**`, `../../${other}/**`]),
            message: `${folder}/ may import from: ${[...values, ...types].join(', ') || 'nothing of ours'}.`,
          },
          ...types.map((other) => ({
            group: [`../${other}/**`],
            allowTypeImports: true,
            message: `${folder}/ may import only types from ${other}/.`,
          })),
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['node_modules/', '.torpedo/', 'coverage/'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // Fastify plugins and activity factories are async by contract, often without an await of their own.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_$' }],
      eqeqeq: 'error',
      // preact's types bring the browser's globals with them; nothing of ours in TypeScript runs there.
      'no-restricted-globals': ['error', 'document', 'event', 'localStorage', 'location', 'name', 'window'],
    },
  },
  // The environment is read in one place, config.ts; embedded/ and scripts/ only pass it on to the processes they start.
  {
    files: [
      '{domain,mailing,sms,db,outgoing,health,sandbox,workflows,activities,api,worker,console}/**/*.{ts,tsx}',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Read it in config.ts.' },
      ],
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', setTimeout: 'readonly' },
    },
  },
  {
    files: ['console/public/*.js'],
    languageOptions: {
      sourceType: 'script',
      globals: Object.fromEntries(
        [
          'document',
          'window',
          'localStorage',
          'sessionStorage',
          'performance',
          'matchMedia',
          'EventSource',
          'FormData',
          'URLSearchParams',
          'URL',
          'setTimeout',
          'clearTimeout',
          'fetch',
          'XMLHttpRequest',
          'Intl',
          'htmx',
          'uPlot',
          'CustomEvent',
          'location',
          'getComputedStyle',
          'HTMLElement',
          'HTMLFormElement',
          'navigator',
          'Notification',
          'setInterval',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  ...direction,
);
