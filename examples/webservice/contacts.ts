/** Fictional contacts of the example service, the same at each call. */

const givenNames = ['Ana', 'João', 'Conceição', 'Luís', 'Eva', 'Íris', 'Otávio', 'Márcia', 'Zé', 'Antônio'];
const familyNames = ['Silva', 'Souza', 'Araújo', 'Lima', 'Gonçalves', 'Reis', 'Assunção', 'Melo'];
const areaCodes = [11, 21, 31, 41, 51, 61, 71, 81];

export interface ExampleContact {
  codigo: string;
  nome: string;
  contato: { celular: number | null; telefone: string | null };
  data_nascimento: string | null;
  valor: number;
  /** Replaces the campaign's text, with the same placeholders. */
  mensagem: string | null;
}

/**
 * The contact at `index` (from 0). One in twenty has a flaw of real lists: a landline, no phone, or the phone of an
 * earlier contact.
 */
export function contactAt(index: number): ExampleContact {
  const areaCode = areaCodes[index % areaCodes.length] ?? 11;
  // Unique numbers of the form 9xxxx-xxxx; only the sandbox gateway receives them.
  const mobile = Number(`55${areaCode}9${String(10_000_000 + index).padStart(8, '0')}`);
  const flaw = index % 20 === 19 ? Math.floor(index / 20) % 3 : null;
  const celular =
    flaw === 0 || flaw === 1 ? null : flaw === 2 ? (contactAt(index - 1).contato.celular ?? mobile) : mobile;
  return {
    codigo: String(1000 + index),
    nome: `${givenNames[index % givenNames.length] ?? ''} ${familyNames[(index * 7) % familyNames.length] ?? ''}`,
    contato: {
      celular,
      telefone: flaw === 0 ? `(${areaCode}) 3${String(1_000_000 + index).padStart(7, '0')}` : null,
    },
    data_nascimento: index % 3 === 0 ? null : `${1950 + (index % 50)}-0${1 + (index % 9)}-1${index % 10}`,
    valor: Math.round((index * 37.31) % 100_000) / 100,
    mensagem:
      index % 50 === 0 ? 'Olá, {nome}! Seu gerente quer falar com você sobre o pedido {codigo}.' : null,
  };
}
