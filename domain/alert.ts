import { z } from 'zod';
import { type Permission, type Role, roleSuffices } from './user.ts';

/**
 * Conditions that require a user, and are reported outside the console (docs/decisions/0020-alerts.md). A new kind is one
 * line here, its condition (db/alerts/conditions.ts) and its sentence (problems/alerts.ts).
 */

interface Kind {
  /** What a role needs to open its page. */
  needs: Permission;
  /** The roles that receive it unless an admin or the user chooses otherwise. */
  notifies: readonly Role[];
  /** The path of the page on which a user deals with it. */
  page: (subject: string) => string;
}

/** Of everything that operators look after. */
const operators = { needs: 'viewer', notifies: ['admin', 'operator'] } as const;
const ofRun = { ...operators, page: (id: string) => `/runs/${id}` } as const;

export const alertKinds = {
  run_approval: { ...ofRun, needs: 'operator' },
  run_paused: ofRun,
  run_failed: ofRun,
  run_not_executed: ofRun,
  run_retrying: ofRun,
  // A campaign's, or that of all; reported again when it is used up.
  budget: {
    ...operators,
    page: (subject: string) => {
      const [campaignId = ''] = subject.split(' ');
      return campaignId === 'all' ? '/settings/costs' : `/campaigns/${campaignId}/mailing`;
    },
  },
  provider_trouble: { ...operators, page: (id: string) => `/settings/providers/${id}` },
  unread_calls: { ...operators, page: (id: string) => `/settings/providers/${id}/unread` },
  holds: { needs: 'any_role', notifies: ['admin', 'operator', 'agent'], page: () => '/replies/held' },
  ticket_overdue: { needs: 'any_role', notifies: ['admin', 'agent'], page: (id) => `/tickets/${id}` },
  ticket_posts: { needs: 'operator', notifies: ['admin'], page: () => '/settings/ticket-posts' },
  retrying: { needs: 'viewer', notifies: ['admin'], page: () => '/' },
} as const satisfies Record<string, Kind>;
export type AlertKind = keyof typeof alertKinds;
// The keys of a literal are those of its type.
export const alertKindNames = Object.keys(alertKinds) as [AlertKind, ...AlertKind[]];
export const alertKind = z.enum(alertKindNames);

const kindOf = (kind: AlertKind): Kind => alertKinds[kind];

/** The page of an alert, as a path of the console. */
export const alertPage = (kind: AlertKind, subject: string): string => kindOf(kind).page(subject);

/** The kinds whose pages a role can open, in order. */
export const alertKindsFor = (role: Role): AlertKind[] =>
  alertKindNames.filter((kind) => roleSuffices(role, kindOf(kind).needs));

const usualKinds = (role: Role): AlertKind[] =>
  alertKindsFor(role).filter((kind) => kindOf(kind).notifies.includes(role));

const kindsFor = (role: Role) =>
  z
    .array(alertKind)
    .max(100)
    .default(() => usualKinds(role));

/** The kinds that each role receives, as an admin has set them. */
export const alertSettings = z.strictObject({
  admin: kindsFor('admin'),
  operator: kindsFor('operator'),
  agent: kindsFor('agent'),
  viewer: kindsFor('viewer'),
});
export type AlertSettings = z.infer<typeof alertSettings>;

/** A user's choices: only the kinds in which they differ from their role's. */
export const alertChoices = z.partialRecord(alertKind, z.boolean());
export type AlertChoices = z.infer<typeof alertChoices>;

/** The kinds that a user receives. */
export const chosenAlertKinds = (
  { role, alertChoices: choices }: { role: Role; alertChoices: AlertChoices },
  settings: AlertSettings,
): AlertKind[] => alertKindsFor(role).filter((kind) => choices[kind] ?? settings[role].includes(kind));

/** The choices of a user who wants exactly these kinds. */
export const alertChoicesOf = (
  wanted: readonly AlertKind[],
  role: Role,
  settings: AlertSettings,
): AlertChoices =>
  Object.fromEntries(
    alertKindsFor(role)
      .filter((kind) => wanted.includes(kind) !== settings[role].includes(kind))
      .map((kind) => [kind, wanted.includes(kind)]),
  );

/** When alerts are reported; tests shorten them. */
export interface AlertTiming {
  /** The time between two checks of all conditions. */
  checkEveryMs: number;
  /** Conditions that begin within this time are one message. */
  gatherMs: number;
  /** The shortest time between two messages to one recipient over one channel. */
  quietMs: number;
  /** A condition that ends and begins again is reported again only after this time. */
  repeatMs: number;
}
export const usualAlertTiming: AlertTiming = {
  checkEveryMs: 15_000,
  gatherMs: 2 * 60_000,
  quietMs: 15 * 60_000,
  repeatMs: 60 * 60_000,
};
