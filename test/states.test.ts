import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { messageStatuses, moves } from '../domain/message.ts';
import { runStatuses, runSteps } from '../domain/run.ts';

const page = readFileSync(new URL('../docs/states.md', import.meta.url), 'utf8');
const diagrams = [...page.matchAll(/```mermaid\n([^]*?)```/g)].map(([, text = '']) =>
  [...text.matchAll(/^ *(\S+) --> (\S+)/gm)].map(([, from = '', to = '']) => `${from} → ${to}`),
);
const [message = [], run = [], step = []] = diagrams;
const statesOf = (arrows: string[]) => new Set(arrows.flatMap((arrow) => arrow.split(' → ')).sort());
const between = (arrows: string[]) => arrows.filter((arrow) => !arrow.includes('[*]')).sort();

test('the diagram of messages shows the moves of the code, and no others', () => {
  const allowed = messageStatuses.flatMap((from) => moves[from].map((to) => `${from} → ${to}`));
  expect(between(message)).toEqual(allowed.sort());
});

test('the diagrams of runs show every status and every step', () => {
  expect(statesOf(run)).toEqual(new Set(['[*]', ...runStatuses].sort()));
  expect(statesOf(step)).toEqual(new Set(['[*]', ...runSteps].sort()));
});
