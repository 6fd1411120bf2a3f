import { dictionary } from '../kit/dictionary.ts';

/** The company's name and logo. */
export const companyWords = dictionary(
  {
    page: { title: 'Empresa', about: 'Nome e logotipo, no console, nos relatórios impressos e nos e-mails' },
    intro:
      'O nome aparece no console, na página de entrada, no título das abas, nos relatórios impressos e nos e-mails. O logotipo aparece no console, na página de entrada e nos relatórios impressos.',
    fields: { name: 'Nome da empresa', file: 'Logotipo' },
    helps: { name: 'Em branco: aparece “Torpedo”.' },
    fileHelp: (size: string, pixels: string) =>
      `PNG, JPEG ou WebP, até ${size} e ${pixels} pixels de cada lado. Use fundo branco ou transparente.`,
    logo: 'Logotipo',
    noLogo: 'Nenhum logotipo ainda.',
    facts: (type: string, width: string, height: string) => `${type}, ${width} × ${height} pixels`,
    upload: 'Enviar o logotipo',
    replace: 'Trocar o logotipo',
    removeLogo: 'Remover o logotipo',
    notices: { uploaded: 'Logotipo salvo.', removed: 'Logotipo removido.' },
  },
  {
    page: { title: 'Company', about: 'Name and logo, in the console, printed reports and e-mails' },
    intro:
      'The name appears in the console, on the sign-in page, in the titles of tabs, on printed reports and in e-mails. The logo appears in the console, on the sign-in page and on printed reports.',
    fields: { name: 'Name of the company', file: 'Logo' },
    helps: { name: 'Empty: “Torpedo” is shown.' },
    fileHelp: (size, pixels) =>
      `PNG, JPEG or WebP, up to ${size} and ${pixels} pixels on each side. Use a white or transparent background.`,
    logo: 'Logo',
    noLogo: 'No logo yet.',
    facts: (type, width, height) => `${type}, ${width} × ${height} pixels`,
    upload: 'Upload the logo',
    replace: 'Replace the logo',
    removeLogo: 'Remove the logo',
    notices: { uploaded: 'Logo saved.', removed: 'Logo removed.' },
  },
);
