export const signIn = {
  open: 'Open',
  /** Appended. */
  openHint: ': no sign-in',
  account: (name: string, role: string): string => `Account: ${name}, ${role}`,
  roles: { customer: 'Customer', operator: 'Operator', viewer: 'Viewer' },
  signIn: 'Sign in',
  signInAgain: 'Sign in again',
  signOut: 'Sign out',
  another: 'Use another account',
  signingIn: { title: 'Sign in', text: 'Connecting to the sign-in service …' },
  signedOut: { title: 'Signed out', text: 'You are signed out, in all tabs of this browser.' },
  relayed: { title: 'Signed in', text: 'You are signed in again. You can close this window.' },
  failed: {
    title: 'Sign-in failed',
    unreachable: 'The sign-in service can’t be reached.',
    insecure: 'Signing in needs a page over HTTPS.',
    refused: (code: string): string => `The sign-in service refused: ${code}.`,
  },
  ended: 'Your sign-in has ended.',
  endedHint: 'Sign in again to continue. What you have entered stays.',
  away: 'The sign-in service can’t be reached.',
  awayHint: 'The page retries by itself, and shows what was last loaded.',
  noToken: {
    ended: 'Your sign-in has ended. Sign in again.',
    unreachable: 'The sign-in service can’t be reached.',
  },
  forbidden: {
    title: 'Not for this account',
    text: 'This page is for operators and viewers.',
    who: (name: string, role: string): string => `You are signed in as ${name}, with the role ${role}.`,
    toShop: 'Go to the shop',
  },
} as const;
