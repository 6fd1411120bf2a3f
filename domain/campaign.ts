import { z } from 'zod';
import { extraField, foldName } from './contact.ts';
import { coded, codedIssue, fault, type Problem, problem } from './problems/coded.ts';
import type { Missing } from './problems/fields.ts';
import { neverOccurs, schedule } from './schedule.ts';
import { parseTemplate } from './template.ts';
import { ticketPolicy, ticketPolicyProblems, type TicketSubcategory } from './ticket.ts';
import { webserviceBlock } from './webservice.ts';

const id = z.int().positive();
const optionalId = id.nullable().default(null);

const messageBlock = z.strictObject({
  /** At most 160 characters as typed, with placeholders (domain/template.ts). */
  template: z.string().nullable().default(null),
  removeAccents: z.boolean().default(true),
  /** A contact whose text needs more segments is skipped: `message_too_long`. */
  maxSegments: z.int().min(1).max(10).default(1),
  providerId: optionalId,
});

const mailingSource = z.enum(['webservice', 'csv']);

const mailingBlock = z.strictObject({
  source: mailingSource.nullable().default(null),
  /** Read when the source is `webservice`; kept otherwise, so that trying the other source loses nothing. */
  webservice: webserviceBlock.prefault({}),
  sendingHoursId: optionalId,
  regionId: optionalId,
  customerTypeId: optionalId,
  /** Start even when an earlier run of this campaign still has contacts to write to. */
  runDespitePending: z.boolean().default(false),
  /** What has not left this many hours after the run was due is cancelled. Null: never. */
  expiresAfterHours: z.int().min(1).max(720).nullable().default(null),
  extraFields: z.array(extraField).max(30).default([]),
});

/** What stands between a run and a mistake in it. */
const safeguardsBlock = z.strictObject({
  /** The run waits after its pre-flight until a person approves it. */
  approval: z.boolean().default(false),
  /** So many messages leave first; the others follow unless the share below is passed. Null: all at once. */
  canarySize: z.int().min(1).max(100_000).nullable().default(null),
  /** So long the others wait for receipts and answers of the first. */
  canaryMinutes: z.int().min(0).max(1_440).default(5),
  /** The run pauses for a person once more than this share (percent) of what was sent failed or opted out. */
  stopAtPercent: z.int().min(1).max(100).nullable().default(null),
});

const blocks = z.strictObject({
  name: z.string().trim().min(1, coded('missing')).max(120),
  description: z.string().max(2000).default(''),
  kind: z.literal('sms').default('sms'),
  /** Send whatever consent the customer's record holds. Never overrides an opt-out. */
  ignoreConsent: z.boolean().default(false),
  schedule,
  message: messageBlock.prefault({}),
  mailing: mailingBlock.prefault({}),
  safeguards: safeguardsBlock.prefault({}),
  ticketPolicy: ticketPolicy.prefault({ when: 'never' }),
});

/**
 * A draft as it is read back from where it is kept: fields that were added since have their defaults. What several fields
 * have to do with each other was checked as it was saved; a list of campaigns need not look
 * for its occurrences again.
 */
export const keptDraft = blocks;

/** A campaign that can run: everything that enabling demands is there. */
export const campaign = blocks.extend({
  message: messageBlock.extend({ template: z.string(), providerId: id }),
  mailing: mailingBlock.extend({ source: mailingSource, sendingHoursId: id }),
});
export type Campaign = z.infer<typeof campaign>;

// What the checks of several fields read, each by itself: other parts of the document may be missing or wrong.
const readableExtraFields = z
  .object({ extraFields: z.array(z.object({ name: z.string() })).default([]) })
  .prefault({});
const extraFieldsPart = z.object({ mailing: readableExtraFields });
const templatePart = z.object({ message: z.object({ template: z.string() }), mailing: readableExtraFields });
const schedulePart = z.object({ schedule });
/** Zod alone would leave these checks out when anything is wrong anywhere; all problems are to be named at once. */
const inAnyCase = { when: () => true };

/**
 * A campaign as it may be saved at any time ("Salvar e continuar"): the schedule block is needed, the others may have
 * gaps. Parsing fills in the defaults, so what is stored has every key.
 */
export const campaignDraft = blocks
  .superRefine((draft, context) => {
    const part = extraFieldsPart.safeParse(draft);
    if (!part.success) return;
    const names = part.data.mailing.extraFields.map(({ name }) => name.toLowerCase());
    names.forEach((name, index) => {
      if (names.indexOf(name) !== index) {
        const path = ['mailing', 'extraFields', index, 'name'];
        context.addIssue(codedIssue(fault('extra_field_repeated', { name }), path));
      }
    });
  }, inAnyCase)
  .superRefine((draft, context) => {
    const part = templatePart.safeParse(draft);
    if (!part.success) return;
    const { message, mailing } = part.data;
    const parsed = parseTemplate(
      message.template,
      mailing.extraFields.map(({ name }) => name),
    );
    if (parsed.ok) return;
    for (const found of parsed.problems) context.addIssue(codedIssue(found, ['message', 'template']));
  }, inAnyCase)
  .superRefine((draft, context) => {
    const part = schedulePart.safeParse(draft);
    if (part.success && neverOccurs(part.data.schedule)) {
      context.addIssue(codedIssue(fault('never_occurs'), ['schedule', 'recurrence']));
    }
  }, inAnyCase);
export type CampaignDraft = z.infer<typeof campaignDraft>;

/** What enabling has to know and the draft does not hold. */
export interface EnablingFacts {
  hasMailingFile: boolean;
  /** The columns that the file has beside the layout's; null: not known. */
  fileExtraFields: readonly string[] | null;
  /** Whether its schedule has no occurrence from now on, holidays left out. */
  isOver: boolean;
  /** Ids the draft refers to that exist but are archived, by field. */
  archived: readonly string[];
  /** Whether the fallback of its provider is archived. */
  fallbackArchived?: boolean;
  /** The subcategory of the ticket policy; null when it names none. */
  subcategory: TicketSubcategory | null;
}

/** Everything that is missing or wrong, at once; with none, the campaign. */
export function completeCampaign(
  draft: CampaignDraft,
  facts: EnablingFacts,
): { ok: true; campaign: Campaign } | { ok: false; problems: Problem[] } {
  const { template, providerId } = draft.message;
  const { source, sendingHoursId } = draft.mailing;
  const problems: Problem[] = [];
  const missing = (field: string, what: Missing) => problems.push(problem(field, 'missing', { what }));

  if (facts.isOver) problems.push(problem('schedule.recurrence', 'no_next_occurrence'));
  if (template === null) missing('message.template', 'template');
  if (providerId === null) missing('message.providerId', 'provider');
  if (facts.fallbackArchived) problems.push(problem('message.providerId', 'fallback_archived'));
  if (source === null) missing('mailing.source', 'source');
  if (source === 'csv' && !facts.hasMailingFile) missing('mailing.file', 'file');
  if (source === 'csv' && facts.fileExtraFields !== null)
    problems.push(...extraFieldProblems(draft.mailing.extraFields, facts.fileExtraFields));
  if (source === 'webservice' && draft.mailing.webservice.baseUrl === null)
    missing('mailing.webservice.baseUrl', 'webservice');
  if (sendingHoursId === null) missing('mailing.sendingHoursId', 'sending_hours');
  problems.push(...ticketPolicyProblems(draft.ticketPolicy, draft.mailing.extraFields, facts.subcategory));
  for (const field of facts.archived) problems.push(problem(field, 'archived'));
  if (
    problems.length > 0 ||
    template === null ||
    providerId === null ||
    source === null ||
    sendingHoursId === null
  ) {
    return { ok: false, problems };
  }
  return {
    ok: true,
    campaign: {
      ...draft,
      message: { ...draft.message, template, providerId },
      mailing: { ...draft.mailing, source, sendingHoursId },
    },
  };
}

/** Extra fields that the file does not have, and the other way round: a run would refuse the file. */
function extraFieldProblems(
  declared: CampaignDraft['mailing']['extraFields'],
  columns: readonly string[],
): Problem[] {
  const of = (names: readonly string[]) => new Set(names.map(foldName));
  const inFile = of(columns);
  const inCampaign = of(declared.map(({ name }) => name));
  const others = columns.filter((name) => !inCampaign.has(foldName(name)));
  return [
    ...declared.flatMap(({ name }, index) =>
      inFile.has(foldName(name))
        ? []
        : [problem(`mailing.extraFields.${index}.name`, 'extra_field_not_in_file', { name })],
    ),
    ...(others.length === 0
      ? []
      : [problem('mailing.file', 'file_columns_not_declared', { columns: others })]),
  ];
}
