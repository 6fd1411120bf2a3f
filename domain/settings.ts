import { z } from 'zod';
import { extraField } from './contact.ts';
import { sendingHours } from './hours.ts';
import { coded } from './problems/coded.ts';
import { maxTemplateLength } from './template.ts';

/** A calendar of dates on which no campaign that uses it is due or sends. */
export const holidayCalendar = z.strictObject({
  holidays: z
    .array(z.strictObject({ date: z.iso.date(), name: z.string().trim().min(1).max(100) }))
    .max(1000)
    .refine((all) => new Set(all.map(({ date }) => date)).size === all.length, coded('date_repeated')),
});

/** Extra fields of a subcategory's tickets, which its mailings may contain as columns. */
export const extraFieldGroup = z.strictObject({
  fields: z
    .array(extraField)
    .max(30)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, coded('group_field_repeated')),
});

const subcategory = z.strictObject({
  categoryId: z.int().positive(),
  extraFieldGroupId: z.int().positive().nullable().default(null),
  /** The target for the first answer to a customer who writes: elapsed minutes, whatever the hours. */
  firstAnswerMinutes: z
    .int()
    .min(1)
    .max(30 * 24 * 60)
    .nullable()
    .default(null),
});

/** A text that users pick when they answer a ticket. Its placeholders are filled in for the customer. */
export const quickReply = z.strictObject({
  text: z.string().trim().min(1, coded('missing')).max(maxTemplateLength),
});

const nameOnly = z.strictObject({});

/**
 * The settings that consist of a name and a definition, by kind: the definition's schema, the table, the name in the
 * audit log, and the section of the settings page. A new kind also needs its table and its words
 * (console/settings/words.ts, console/access/words.ts).
 */
export const settingKinds = {
  sendingHours: {
    definition: sendingHours,
    table: 'sending_hours',
    subject: 'sending_hours',
    group: 'sending',
  },
  holidayCalendars: {
    definition: holidayCalendar,
    table: 'holiday_calendars',
    subject: 'holiday_calendar',
    group: 'sending',
  },
  regions: { definition: nameOnly, table: 'regions', subject: 'region', group: 'customers' },
  customerTypes: {
    definition: nameOnly,
    table: 'customer_types',
    subject: 'customer_type',
    group: 'customers',
  },
  departments: { definition: nameOnly, table: 'departments', subject: 'department', group: 'tickets' },
  assignees: { definition: nameOnly, table: 'assignees', subject: 'assignee', group: 'tickets' },
  categories: { definition: nameOnly, table: 'categories', subject: 'category', group: 'tickets' },
  subcategories: {
    definition: subcategory,
    table: 'subcategories',
    subject: 'subcategory',
    group: 'tickets',
  },
  extraFieldGroups: {
    definition: extraFieldGroup,
    table: 'extra_field_groups',
    subject: 'extra_field_group',
    group: 'tickets',
  },
  quickReplies: { definition: quickReply, table: 'quick_replies', subject: 'quick_reply', group: 'tickets' },
  resolutions: { definition: nameOnly, table: 'resolutions', subject: 'resolution', group: 'tickets' },
} as const;
export type SettingKind = keyof typeof settingKinds;
export type SettingDefinition<K extends SettingKind> = z.infer<(typeof settingKinds)[K]['definition']>;
/** Agents read those that describe tickets and customers, and none of those about sending. */
export const settingReaders = (kind: SettingKind): 'any_role' | 'viewer' =>
  settingKinds[kind].group === 'sending' ? 'viewer' : 'any_role';
// The keys of a literal are those of its type.
export const settingKindNames = Object.keys(settingKinds) as SettingKind[];

export const settingName = z.string().trim().min(1, coded('missing')).max(100);
