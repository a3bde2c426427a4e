// Rules of Angular and TypeScript that the compiler does not check.
import eslint from '@eslint/js';
import angular from 'angular-eslint';
import { defineConfig } from 'eslint/config';
import typescript from 'typescript-eslint';

const GUARDED = 'It may be absent, denied or fail: use src/app/browser.';
const FACILITIES = ['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'cookieStore', 'BroadcastChannel'];
const OF_NAVIGATOR = ['locks', 'clipboard', 'storage', 'serviceWorker'];

export default defineConfig(
  { ignores: ['dist/**', 'projects/*/dist/**', 'src/app/api/generated/**'] },
  {
    files: ['**/*.ts'],
    extends: [
      eslint.configs.recommended,
      typescript.configs.strict,
      typescript.configs.stylistic,
      angular.configs.tsRecommended,
    ],
    processor: angular.processInlineTemplates,
    rules: {
      '@angular-eslint/prefer-on-push-component-change-detection': 'error',
      '@angular-eslint/prefer-signals': 'error',
      '@typescript-eslint/explicit-function-return-type': ['error', { allowExpressions: true }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      'no-restricted-globals': ['error', ...FACILITIES.map((name) => ({ name, message: GUARDED }))],
      'no-restricted-properties': [
        'error',
        ...FACILITIES.map((property) => ({ property, message: GUARDED })),
        ...OF_NAVIGATOR.map((property) => ({ object: 'navigator', property, message: GUARDED })),
      ],
      'no-restricted-syntax': [
        'error',
        ...OF_NAVIGATOR.map((name) => ({
          selector: `MemberExpression[property.name='${name}'] > .object:has(Identifier[name='navigator'])`,
          message: GUARDED,
        })),
      ],
    },
  },
  {
    files: ['src/app/browser/*.ts', '**/*.spec.ts'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off', 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.spec.ts'],
    rules: { 'max-lines-per-function': 'off', '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  { files: ['**/*.html'], extends: [angular.configs.templateRecommended, angular.configs.templateAccessibility] },
);
