import { expect, it } from 'vitest';
import { render } from '../../../../infra/local/atlas-cli/output.ts';

const large = { n: 9007199254740993n };

it.each([
  ['json', large],
  ['ndjson', [large]],
  ['table', { results: [large] }],
  ['table', large],
] as const)('numbers beyond 2^53 come out digit by digit as %s', (format, answer) => {
  expect(render(answer, format)).toContain('9007199254740993');
});
