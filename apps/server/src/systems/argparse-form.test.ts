import fc from 'fast-check';
import { expect, test } from 'vitest';
import { argparseForm } from './argparse-form.ts';

test('options come with type, default, choices, help', () => {
  const form = argparseForm(`
import argparse
# parser.add_argument('--commented', type=int)
TEXT = "parser.add_argument('--quoted')"
p = argparse.ArgumentParser()
p.add_argument('data', help='the ' 'file')
p.add_argument("-l", "--learning-rate", type=float, default=1e-3,
               help="step (size, of it)")
p.add_argument('--epochs', type=int, default=-5, required=True)
p.add_argument('--kind', choices=['a', "b"], default='a')
p.add_argument('--fast', action='store_true')
p.add_argument('--no-cache', dest='cache', action='store_false')
p.add_argument('--computed', type=int, default=os.cpu_count())
p.add_argument(*names)
p.add_argument('--version', action='version', version='1')
p.add_argument('rest', nargs='*')
`);
  const brief = form.map(({ name, flag, type, default: preset, required }) => [
    name,
    flag,
    type,
    preset,
    required,
  ]);
  expect(brief).toEqual([
    ['data', 'data', 'string', null, true],
    ['learning_rate', '--learning-rate', 'number', 0.001, false],
    ['epochs', '--epochs', 'integer', -5, true],
    ['kind', '--kind', 'choice', 'a', false],
    ['fast', '--fast', 'boolean', false, false],
    ['cache', '--no-cache', 'boolean', true, false],
    ['computed', '--computed', 'integer', null, false],
    ['rest', 'rest', 'string', null, false],
  ]);
  expect(form[0]!.help).toBe('the file');
  expect(form[1]!.help).toBe('step (size, of it)');
  expect(form[3]!.choices).toEqual(['a', 'b']);
});

test('any text gives a form, never an error', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(60), (text, cut) => {
      const source = `p.add_argument('--a', default="${text}", choices=[1, (2)])`.slice(cut);
      for (const field of argparseForm(source)) expect(field.flag.length).toBeGreaterThan(0);
    }),
  );
});
