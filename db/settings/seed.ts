import { weekdays } from '../../domain/calendar.ts';
import { nationalHolidays } from '../../domain/holidays.ts';
import type { SettingDefinition } from '../../domain/settings.ts';
import type { Database, Sql } from '../core/client.ts';
import { insertSetting, listSettings } from './settings.ts';

const zone = 'America/Sao_Paulo';
/** National holidays are seeded for this many years; an admin adds later ones and local ones. */
const yearsAhead = 3;

const commercialHours: SettingDefinition<'sendingHours'> = {
  timezone: zone,
  // What Brazilian carriers require of advertisers: weekdays 8–18, Saturday 9–13, never on Sunday.
  windows: [
    { days: weekdays.filter((day) => day !== 'saturday' && day !== 'sunday'), from: '08:00', to: '18:00' },
    { days: ['saturday'], from: '09:00', to: '13:00' },
  ],
};

const always: SettingDefinition<'sendingHours'> = {
  timezone: zone,
  windows: [{ days: [...weekdays], from: '00:00', to: '24:00' }],
};

/**
 * Adds settings for Brazil to a new deployment, so that a first campaign needs no setup. Does nothing when any sending
 * hours exist.
 */
export async function seedSettings(sql: Database, now: Date): Promise<void> {
  await sql.begin(async (tx) => {
    // Two processes that start at the same time seed once.
    await tx`lock table sending_hours in share row exclusive mode`;
    if ((await listSettings(tx, 'sendingHours')).length > 0) return;
    await insertSetting(tx, 'sendingHours', { name: 'Comercial', definition: commercialHours });
    await insertSetting(tx, 'sendingHours', { name: 'Sempre', definition: always });
    const years = Array.from({ length: yearsAhead }, (_, index) => now.getFullYear() + index);
    const holidays = years.flatMap((year) => nationalHolidays(year));
    await insertSetting(tx, 'holidayCalendars', { name: 'Feriados nacionais', definition: { holidays } });
    await seedTicketSettings(tx);
  });
}

const departments = ['Atendimento', 'Cobrança', 'Comercial', 'Financeiro', 'Ouvidoria', 'Suporte técnico'];

/** By category. Those of "Cobrança" have the fields of the group of that name. */
const subcategories: Readonly<Record<string, readonly string[]>> = {
  Cobrança: ['Aviso de vencimento', 'Negociação de dívida', 'Pagamento informado', 'Segunda via de boleto'],
  Comercial: ['Contratação', 'Oferta', 'Renovação'],
  Relacionamento: ['Agendamento', 'Atualização cadastral', 'Comunicado', 'Pesquisa de satisfação'],
  'Suporte técnico': ['Manutenção programada', 'Visita técnica'],
};

const resolutions = [
  'Resolvido',
  'SMS enviado com sucesso',
  'Falha no envio do SMS',
  'Cliente não respondeu',
  'Número não pertence ao cliente',
  'Encaminhado a outro setor',
  'Sem interesse',
];

/** The usual categories, resolutions and departments of a service desk. */
async function seedTicketSettings(sql: Sql): Promise<void> {
  for (const name of departments) await insertSetting(sql, 'departments', { name, definition: {} });
  await insertSetting(sql, 'assignees', { name: 'Equipe de atendimento', definition: {} });
  for (const name of resolutions) await insertSetting(sql, 'resolutions', { name, definition: {} });
  const billing = await insertSetting(sql, 'extraFieldGroups', {
    name: 'Cobrança',
    definition: {
      fields: [
        { name: 'valor', type: 'number', required: false },
        { name: 'vencimento', type: 'date', required: false },
        { name: 'contrato', type: 'text', required: false },
      ],
    },
  });
  for (const [category, names] of Object.entries(subcategories)) {
    const { id } = await insertSetting(sql, 'categories', { name: category, definition: {} });
    for (const name of names) {
      await insertSetting(sql, 'subcategories', {
        name,
        definition: {
          categoryId: id,
          extraFieldGroupId: category === 'Cobrança' ? billing.id : null,
          firstAnswerMinutes: null,
        },
      });
    }
  }
}
