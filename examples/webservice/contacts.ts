/** Fictional people for the example service: the same at each call. */

const givenNames = ['Ana', 'João', 'Conceição', 'Luís', 'Eva', 'Íris', 'Otávio', 'Márcia', 'Zé', 'Antônio'];
const familyNames = ['Silva', 'Souza', 'Araújo', 'Lima', 'Gonçalves', 'Reis', 'Assunção', 'Melo'];
const areaCodes = [11, 21, 31, 41, 51, 61, 71, 81];

export interface Person {
  codigo: string;
  nome: string;
  contato: { celular: number | null; telefone: string | null };
  data_nascimento: string | null;
  valor: number;
  /** Replaces the campaign's text, with the same placeholders. */
  mensagem: string | null;
}

/**
 * The person in the place `index` (from 0). One in twenty has flaws such as real lists have: a landline, no phone at
 * all, the phone of someone earlier.
 */
export function personAt(index: number): Person {
  const areaCode = areaCodes[index % areaCodes.length] ?? 11;
  // Numbers of the shape 9xxxx-xxxx, each once; the sandbox is the only gateway that ever sees them.
  const mobile = Number(`55${areaCode}9${String(10_000_000 + index).padStart(8, '0')}`);
  const flaw = index % 20 === 19 ? Math.floor(index / 20) % 3 : null;
  const celular =
    flaw === 0 || flaw === 1 ? null : flaw === 2 ? (personAt(index - 1).contato.celular ?? mobile) : mobile;
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
