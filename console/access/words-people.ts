import { dictionary } from '../kit/dictionary.ts';

/** Signing in, and one's own profile. */
export const people = dictionary(
  {
    signIn: 'Entrar',
    signInTitle: 'Entrar no Torpedo',
    login: 'Usuário',
    password: 'Senha',
    firstTime:
      'Primeira vez? O usuário e a senha do primeiro administrador foram mostrados no terminal em que o Torpedo iniciou.',
    profile: 'Meu perfil',
    me: 'Meus dados',
    fields: {
      login: 'Usuário',
      name: 'Nome',
      locale: 'Idioma',
      timezone: 'Fuso horário',
      sendingHoursId: 'Horário de execução padrão',
      current: 'Senha atual',
      password: 'Nova senha',
    },
    helps: {
      password: 'Ao menos 12 caracteres.',
      timezone: 'As datas e os horários são mostrados neste fuso.',
      sendingHoursId: 'As campanhas que você criar começam com ele.',
    },
    firstHours: 'O primeiro cadastrado',
    changePassword: 'Trocar a senha',
    choosePassword: 'Escolha a sua senha',
    choosePasswordWhy:
      'A senha com que você entrou foi definida por outra pessoa ou na instalação. Escolha uma só sua para continuar.',
    givenPassword: 'Senha recebida',
    savePassword: 'Salvar e continuar',
    useAnotherLogin: 'Entrar com outro usuário',
  },
  {
    signIn: 'Sign in',
    signInTitle: 'Sign in to Torpedo',
    login: 'Login',
    password: 'Password',
    firstTime:
      'First time? The login and password of the first administrator were shown in the terminal that Torpedo was started in.',
    profile: 'My profile',
    me: 'About me',
    fields: {
      login: 'Login',
      name: 'Name',
      locale: 'Language',
      timezone: 'Time zone',
      sendingHoursId: 'Usual sending hours',
      current: 'Present password',
      password: 'New password',
    },
    helps: {
      password: 'At least 12 characters.',
      timezone: 'Dates and times are shown in this zone.',
      sendingHoursId: 'The campaigns that you make begin with them.',
    },
    firstHours: 'The first that there are',
    changePassword: 'Change the password',
    choosePassword: 'Choose your password',
    choosePasswordWhy:
      'The password you signed in with was set by someone else, or by the installation. Choose one of your own to continue.',
    givenPassword: 'Password you were given',
    savePassword: 'Save and continue',
    useAnotherLogin: 'Sign in as someone else',
  },
);
