import { alertWebhookFieldLabels, emailFieldLabels, smtpSecurityLabels } from '../../domain/words/alerts.ts';
import { dictionary } from '../kit/dictionary.ts';

export const alertWords = dictionary(
  {
    page: { title: 'Avisos', about: 'Servidor de e-mail, webhook e quem recebe o quê' },
    intro:
      'O que precisa de atenção aparece no Início e também chega por e-mail e pelo webhook. Eventos em sequência chegam em uma só mensagem.',
    email: 'E-mail',
    emailIntro:
      'Com um servidor SMTP, os avisos chegam por e-mail, e quem esquece a senha recebe um link para escolher outra.',
    emailForm: {
      fields: emailFieldLabels['pt-BR'],
      helps: {
        host: 'Um servidor da rede privada precisa estar em ALERTS_ALLOW.',
        verifyCertificate: 'Desligue só para um servidor seu, com certificado autoassinado.',
        user: 'Deixe em branco se o servidor não pede login.',
      },
    },
    webhookForm: { fields: alertWebhookFieldLabels['pt-BR'] },
    stored: 'Já há uma senha salva. Deixe em branco para mantê-la.',
    securities: smtpSecurityLabels['pt-BR'],
    test: 'Testar',
    testMail: 'Enviar um e-mail de teste',
    mailAccepted: (to: string) => `O servidor aceitou o e-mail para ${to}. Veja se ele chegou.`,
    saveFirst: 'Salve o servidor antes de testar.',
    webhook: 'Webhook',
    webhookIntro:
      'Cada mensagem é um POST em JSON, assinado e repetido como os envios ao helpdesk. Programas de mensagens, como o Slack e o Mattermost, só precisam do campo text.',
    secretHelp:
      'Copie-o para o programa que recebe os avisos, que confere a assinatura com ele. Não será mostrado de novo.',
    secretStored: 'Já há um segredo salvo. Deixe em branco para mantê-lo.',
    headers: 'Cabeçalhos adicionais',
    testPost: 'Enviar um aviso de teste',
    postAccepted: 'O webhook aceitou o aviso de teste.',
    roles: 'Quem recebe o quê',
    rolesIntro:
      'O padrão de cada perfil. Cada usuário pode mudar os seus em “Meu perfil”. Quem não pode abrir uma página não recebe avisos dela.',
    undelivered: 'Não entregues',
    waiting: 'Esperam nova tentativa',
    failed: 'Abandonados nas últimas 24 horas',
    lastProblem: 'Último problema',
    own: {
      title: 'Meus avisos',
      intro: 'O que entra na contagem do menu e do título da página, e o que chega por e-mail.',
      noEmail: 'Informe um e-mail acima para também receber os avisos por e-mail.',
      kinds: 'O que me avisar',
      browser: 'Avisos do navegador',
      browserHelp: 'Neste navegador, enquanto uma página do Torpedo estiver aberta.',
      browserOn: 'Ativar neste navegador',
      browserOff: 'Desativar neste navegador',
      browserDenied: 'O navegador bloqueia os avisos deste site. Permita-os nas configurações dele.',
    },
  },
  {
    page: { title: 'Alerts', about: 'E-mail server, webhook, and recipients' },
    intro:
      'The home page shows what needs attention. Alerts are also sent by e-mail and to the webhook. Events in quick succession arrive as one message.',
    email: 'E-mail',
    emailIntro:
      'With an SMTP server, alerts arrive by e-mail, and users who forget their password get a link to choose another.',
    emailForm: {
      fields: emailFieldLabels.en,
      helps: {
        host: 'A server in the private network must be listed in ALERTS_ALLOW.',
        verifyCertificate: 'Turn this off only for your own server with a self-signed certificate.',
        user: 'Leave empty if the server requires no login.',
      },
    },
    webhookForm: { fields: alertWebhookFieldLabels.en },
    stored: 'A password is stored. Leave it empty to keep it.',
    securities: smtpSecurityLabels.en,
    test: 'Test',
    testMail: 'Send a test e-mail',
    mailAccepted: (to) => `The server has accepted the e-mail to ${to}. Check whether it arrives.`,
    saveFirst: 'Save the server before you test it.',
    webhook: 'Webhook',
    webhookIntro:
      'Each message is a POST of JSON, signed and retried like posts to the helpdesk. Chat programs such as Slack and Mattermost need only its field text.',
    secretHelp:
      'Copy it to the receiving program, which verifies the signature with it. It is not shown again.',
    secretStored: 'A secret is stored. Leave it empty to keep it.',
    headers: 'Additional headers',
    testPost: 'Post a test alert',
    postAccepted: 'The webhook has accepted the test alert.',
    roles: 'Recipients',
    rolesIntro:
      'The defaults of each role. Users can change their own in their profile. They receive no alerts for pages that they cannot open.',
    undelivered: 'Not delivered',
    waiting: 'Waiting for another attempt',
    failed: 'Given up in the last 24 hours',
    lastProblem: 'Last problem',
    own: {
      title: 'My alerts',
      intro: 'What is counted in the menu and in the title of the page, and what is sent to you by e-mail.',
      noEmail: 'Enter an e-mail address above to also get alerts by e-mail.',
      kinds: 'Alerts that I receive',
      browser: 'Browser notifications',
      browserHelp: 'In this browser, while a page of Torpedo is open.',
      browserOn: 'Turn on in this browser',
      browserOff: 'Turn off in this browser',
      browserDenied: 'The browser blocks notifications from this site. Allow them in its settings.',
    },
  },
);
