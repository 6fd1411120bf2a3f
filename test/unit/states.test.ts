import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { messageStatuses, moves } from '../../domain/message.ts';
import { replyEffects } from '../../domain/reply.ts';
import { ticketPostStates } from '../../domain/ticket-posting.ts';
import { ticketMoves, ticketStatuses } from '../../domain/ticket.ts';
import { runStatuses, runSteps } from '../../domain/run.ts';

const page = readFileSync(new URL('../../docs/states.md', import.meta.url), 'utf8');
const diagrams = [...page.matchAll(/```mermaid\n([^]*?)```/g)].map(([, text = '']) =>
  [...text.matchAll(/^ *(\S+) --> (\S+)/gm)].map(([, from = '', to = '']) => `${from} → ${to}`),
);
// Found by their heading, so that other diagrams can come between them.
const diagramUnder = (heading: string): string[] =>
  [
    ...((page.split(`\n## ${heading}\n`)[1] ?? '').split('```')[1]?.matchAll(/^ *(\S+) --> (\S+)/gm) ?? []),
  ].map(([, from = '', to = '']) => `${from} → ${to}`);
const [message = [], run = [], step = []] = diagrams;
const statesOf = (arrows: string[]) => new Set(arrows.flatMap((arrow) => arrow.split(' → ')).sort());
const between = (arrows: string[]) => arrows.filter((arrow) => !arrow.includes('[*]')).sort();

test('the diagram of messages shows exactly the moves of the code', () => {
  const allowed = messageStatuses.flatMap((from) => moves[from].map((to) => `${from} → ${to}`));
  expect(between(message)).toEqual(allowed.sort());
});

test('the diagrams of runs show every status and every step', () => {
  expect(statesOf(run)).toEqual(new Set(['[*]', ...runStatuses].sort()));
  expect(statesOf(step)).toEqual(new Set(['[*]', ...runSteps].sort()));
});

test('the diagram of tickets shows exactly the moves of the code', () => {
  const allowed = ticketStatuses.flatMap((from) => ticketMoves[from].map((to) => `${from} → ${to}`));
  expect(between(diagramUnder('Ticket'))).toEqual(allowed.sort());
});

test('the diagram of posts shows every state', () => {
  expect(statesOf(diagramUnder("Post of a ticket's event"))).toEqual(
    new Set(['[*]', ...ticketPostStates].sort()),
  );
});

test('the diagram of replies shows every effect', () => {
  expect(statesOf(diagramUnder('Reply'))).toEqual(new Set(['[*]', 'waiting', ...replyEffects].sort()));
});
