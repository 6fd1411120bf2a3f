import { z } from 'zod';
import { extraField } from './contact.ts';
import { sendingHours } from './hours.ts';
import { coded } from './problems/coded.ts';

/** A calendar of dates on which no campaign that uses it is due and nothing of it leaves. */
export const holidayCalendar = z.strictObject({
  holidays: z
    .array(z.strictObject({ date: z.iso.date(), name: z.string().trim().min(1).max(100) }))
    .max(1000)
    .refine((all) => new Set(all.map(({ date }) => date)).size === all.length, coded('date_repeated')),
});

/** Extra fields that the tickets of a subcategory carry, and that its mailings may bring as columns. */
export const extraFieldGroup = z.strictObject({
  fields: z
    .array(extraField)
    .max(30)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, coded('group_field_repeated')),
});

const subcategory = z.strictObject({
  categoryId: z.int().positive(),
  extraFieldGroupId: z.int().positive().nullable().default(null),
});

const nameOnly = z.strictObject({});

/** The settings that are a name and a definition; what the definition holds, by kind. */
export const settingDefinitions = {
  sendingHours,
  holidayCalendars: holidayCalendar,
  regions: nameOnly,
  customerTypes: nameOnly,
  departments: nameOnly,
  assignees: nameOnly,
  categories: nameOnly,
  subcategories: subcategory,
  extraFieldGroups: extraFieldGroup,
  resolutions: nameOnly,
} as const;
export type SettingKind = keyof typeof settingDefinitions;
export type SettingDefinition<K extends SettingKind> = z.infer<(typeof settingDefinitions)[K]>;

export const settingName = z.string().trim().min(1, coded('missing')).max(100);
