import { z } from 'zod';
import { extraField, foldName } from './contact.ts';
import { coded, codedIssue, fault, type Problem, problem } from './problems/coded.ts';
import type { Missing } from './problems/fields.ts';
import { wordList } from './reply.ts';
import { amountText } from './price.ts';
import { neverOccurs, schedule } from './schedule.ts';
import { parseTemplate, undeclaredOf } from './template.ts';
import { ticketPolicy, ticketPolicyProblems, type TicketSubcategory } from './ticket.ts';
import { webserviceBlock, foldAttribute } from './webservice.ts';

const id = z.int().positive();
const optionalId = id.nullable().default(null);

const messageBlock = z.strictObject({
  /** At most 160 characters as typed, including placeholders (domain/template.ts). */
  template: z.string().nullable().default(null),
  removeAccents: z.boolean().default(true),
  /** Skips a contact whose text needs more segments: `message_too_long`. */
  maxSegments: z.int().min(1).max(10).default(1),
  providerId: optionalId,
  /** Words that answer this message and do not opt out, whatever the deployment's reply words (domain/reply.ts). */
  answers: wordList.default([]),
});

const mailingSource = z.enum(['webservice', 'csv']);

const mailingBlock = z.strictObject({
  source: mailingSource.nullable().default(null),
  /** Used if the source is `webservice`; kept otherwise, so that switching the source loses nothing. */
  webservice: webserviceBlock.prefault({}),
  sendingHoursId: optionalId,
  regionId: optionalId,
  customerTypeId: optionalId,
  /** Start even if an earlier run of this campaign still has messages to send. */
  runDespitePending: z.boolean().default(false),
  /** Messages that have not left this many hours after the run was due are cancelled. Null: never. */
  expiresAfterHours: z.int().min(1).max(720).nullable().default(null),
  extraFields: z.array(extraField).max(30).default([]),
});

/** Protections of a run against mistakes. */
const safeguardsBlock = z.strictObject({
  /** The run waits after its pre-flight until a user approves it. */
  approval: z.boolean().default(false),
  /** This many messages leave first; the others follow unless the threshold below is exceeded. Null: all at once. */
  canarySize: z.int().min(1).max(100_000).nullable().default(null),
  /** For how many minutes the others wait for receipts and replies of the first. */
  canaryMinutes: z.int().min(0).max(1_440).default(5),
  /** The run pauses for a user once more than this percentage of the sent messages failed or opted out. */
  stopAtPercent: z.int().min(1).max(100).nullable().default(null),
  /**
   * What the campaign may cost in a month, in the deployment's currency (domain/budget.ts). Unlike the others it is not
   * frozen: a run reads the current one. Null: no limit of its own.
   */
  monthlyBudget: amountText.nullable().default(null),
});

const blocks = z.strictObject({
  name: z.string().trim().min(1, coded('missing')).max(120),
  description: z.string().max(2000).default(''),
  kind: z.literal('sms').default('sms'),
  /** Send regardless of the customer's consent. Never overrides an opt-out. */
  ignoreConsent: z.boolean().default(false),
  schedule,
  message: messageBlock.prefault({}),
  mailing: mailingBlock.prefault({}),
  safeguards: safeguardsBlock.prefault({}),
  ticketPolicy: ticketPolicy.prefault({ when: 'never' }),
});

/**
 * A stored draft: fields that were added later get their defaults. The checks across fields ran when it was saved; a
 * list of campaigns need not search for its occurrences again.
 */
export const keptDraft = blocks;

/** A campaign that can run: it has everything that enabling requires. */
export const campaign = blocks.extend({
  message: messageBlock.extend({ template: z.string(), providerId: id }),
  mailing: mailingBlock.extend({ source: mailingSource, sendingHoursId: id }),
});
export type Campaign = z.infer<typeof campaign>;

// What the checks across fields read, each separately: other parts of the document may be missing or invalid.
const readableExtraFields = z
  .object({ extraFields: z.array(z.object({ name: z.string() })).default([]) })
  .prefault({});
const extraFieldsPart = z.object({ mailing: readableExtraFields });
const templatePart = z.object({ message: z.object({ template: z.string() }), mailing: readableExtraFields });
const schedulePart = z.object({ schedule });
/** By default zod skips these checks when anything else is invalid; all problems must be reported at once. */
const inAnyCase = { when: () => true };

/**
 * A campaign that can be saved at any time ("Salvar e continuar"): the schedule block is required, the others may be
 * incomplete. Parsing fills in the defaults, so that stored documents have every key.
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
    // A tag may be used before its extra field is declared: the blocks are filled in in that order.
    for (const found of parsed.problems)
      if (undeclaredOf(found) === null) context.addIssue(codedIssue(found, ['message', 'template']));
  }, inAnyCase)
  .superRefine((draft, context) => {
    const part = schedulePart.safeParse(draft);
    if (part.success && neverOccurs(part.data.schedule)) {
      context.addIssue(codedIssue(fault('never_occurs'), ['schedule', 'recurrence']));
    }
  }, inAnyCase);
export type CampaignDraft = z.infer<typeof campaignDraft>;

/** What enabling needs to know beyond the draft. */
export interface EnablingFacts {
  hasMailingFile: boolean;
  /** The file's columns beyond the layout; null: not known. */
  fileExtraFields: readonly string[] | null;
  /** Whether its schedule has no more occurrences, holidays excluded. */
  isOver: boolean;
  /** Archived entries that the draft refers to, by field. */
  archived: readonly string[];
  /** Whether the fallback of its provider is archived. */
  fallbackArchived?: boolean;
  /** The subcategory of the ticket policy; null when it has none. */
  subcategory: TicketSubcategory | null;
}

/** The tags of the message that are no extra fields yet. */
export function undeclaredTags({ message, mailing }: Pick<CampaignDraft, 'message' | 'mailing'>): string[] {
  if (message.template === null) return [];
  const parsed = parseTemplate(
    message.template,
    mailing.extraFields.map(({ name }) => name),
  );
  const names = parsed.ok ? [] : parsed.problems.flatMap((found) => undeclaredOf(found) ?? []);
  // As it was written first.
  return [...new Map(names.toReversed().map((name) => [foldName(name), name])).values()].toReversed();
}

/** A draft has never been enabled. An archived campaign is out of the lists, and can be restored. */
export const campaignStates = ['draft', 'enabled', 'disabled', 'archived'] as const;
export type CampaignState = (typeof campaignStates)[number];

export function campaignStateOf({
  enabled,
  firstEnabledAt,
  archivedAt,
}: {
  enabled: boolean;
  firstEnabledAt: Date | null;
  archivedAt: Date | null;
}): CampaignState {
  if (archivedAt !== null) return 'archived';
  if (enabled) return 'enabled';
  return firstEnabledAt === null ? 'draft' : 'disabled';
}

/** All problems at once; without any, the campaign. */
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
  for (const name of undeclaredTags(draft))
    problems.push(problem('mailing.extraFields', 'placeholder_undeclared', { name }));
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

/** The attributes of a web service's records at the last test of its address. Names only, no values. */
export const answerAttributes = z.object({
  baseUrl: z.string(),
  recordsPath: z.string().nullable(),
  /** Dotted paths. */
  attributes: z.array(z.string()),
});
export type AnswerAttributes = z.infer<typeof answerAttributes>;

/** Whether records with these attributes have all attributes that an entry of the field map names: `ddd + numero`. */
export const hasAttribute = (attributes: readonly string[], path: string): boolean =>
  path
    .split(/\s*\+\s*/)
    .every((one) => attributes.some((attribute) => attribute === one || attribute.startsWith(`${one}.`)));

/**
 * Extra fields and entries of the field map that no record contained at the last test of the address. A record may
 * still contain them: they do not block enabling.
 */
export function answerNotices(
  { mailing: { source, webservice, extraFields } }: CampaignDraft,
  tested: AnswerAttributes | null,
): Problem[] {
  const isOfAddress = webservice.baseUrl === tested?.baseUrl && webservice.recordsPath === tested.recordsPath;
  if (source !== 'webservice' || tested === null || !isOfAddress) return [];
  const { attributes } = tested;
  // An extra field may be in an object that wraps the record.
  const names = new Set(attributes.flatMap((path) => path.split('.').slice(0, 2).map(foldAttribute)));
  const notice = (field: string, name: string) => problem(field, 'attribute_not_in_answer', { name });
  return [
    ...extraFields.flatMap(({ name }, index) =>
      names.has(foldAttribute(name)) ? [] : [notice(`mailing.extraFields.${index}.name`, name)],
    ),
    ...Object.entries(webservice.fieldMap).flatMap(([field, path]) =>
      path === null || hasAttribute(attributes, path)
        ? []
        : [notice(`mailing.webservice.fieldMap.${field}`, path)],
    ),
  ];
}

/** Extra fields that the file lacks, and columns that are not extra fields: a run would refuse the file. */
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
