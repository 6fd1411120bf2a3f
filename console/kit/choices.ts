import { z } from 'zod';
import { campaignListView } from '../../api/campaigns/view.ts';
import { integrationListView } from '../../api/settings/integrations.ts';
import { providerView } from '../../api/providers/providers.ts';
import { settingPath, settingView } from '../../api/settings/settings.ts';
import type { SettingKind } from '../../domain/settings.ts';
import type { Api } from './api.ts';
import type { Option } from './fields.tsx';

const entries = (kind: SettingKind) => z.object({ entries: z.array(settingView(kind)) });

/** All entries of a kind of settings, by name. */
export async function settingsOf(api: Api, kind: SettingKind) {
  const list = await api.get(settingPath(kind), entries(kind));
  return list.entries.toSorted((a, b) => a.name.localeCompare(b.name));
}

/** The settings that classify mailings and customers. */
export async function settingsOfCustomers(api: Api) {
  const [regions, customerTypes] = await Promise.all([
    settingsOf(api, 'regions'),
    settingsOf(api, 'customerTypes'),
  ]);
  return { regions, customerTypes };
}
export type CustomerSettings = Awaited<ReturnType<typeof settingsOfCustomers>>;

/** An entry that a form can refer to. */
export interface Entry {
  id: number;
  name: string;
  archivedAt: Date | null;
}

/** The options of a choice list: archived entries only if they are selected. */
export function optionsOf(list: readonly Entry[], chosen: string): Option[] {
  return list
    .filter(({ id, archivedAt }) => archivedAt === null || String(id) === chosen)
    .map(({ id, name }) => ({ value: String(id), label: name }));
}

/** The newest campaigns, as many as a choice can offer. */
export async function campaignChoices(api: Api) {
  const { campaigns } = await api.get('/api/campaigns', campaignListView, { limit: 200 });
  return campaigns.map(({ id, name }) => ({ value: String(id), label: name }));
}

export async function providersOf(api: Api) {
  const { providers } = await api.get('/api/providers', z.object({ providers: z.array(providerView) }));
  return providers;
}

export const integrationsOf = async (api: Api) =>
  (await api.get('/api/integrations', integrationListView)).integrations;
