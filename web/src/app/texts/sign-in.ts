import './language';

export const signIn = {
  open: $localize`Open`,
  /** Appended. */
  openHint: $localize`\: no sign-in`,
  account: (name: string, role: string): string => $localize`Account: ${name}:name:, ${role}:role:`,
  roles: { customer: $localize`Customer`, operator: $localize`Operator`, viewer: $localize`Viewer` },
  signIn: $localize`Sign in`,
  signInAgain: $localize`Sign in again`,
  signOut: $localize`Sign out`,
  another: $localize`Use another account`,
  signingIn: { title: $localize`Sign in`, text: $localize`Connecting to the sign-in service …` },
  signedOut: { title: $localize`Signed out`, text: $localize`You are signed out.` },
  relayed: { title: $localize`Signed in`, text: $localize`You are signed in again. You can close this window.` },
  failed: {
    title: $localize`Sign-in failed`,
    unreachable: $localize`The sign-in service can’t be reached.`,
    insecure: $localize`Signing in needs a page over HTTPS.`,
    notStored: $localize`This browser blocks the site data of this page. Signing in needs them: allow them, and try again.`,
    refused: (code: string): string => $localize`The sign-in service refused: ${code}:code:.`,
  },
  ended: $localize`Your sign-in has ended.`,
  endedHint: $localize`Sign in again to continue. What you have entered stays.`,
  away: $localize`The sign-in service can’t be reached.`,
  awayHint: $localize`The page retries by itself, and shows what was last loaded.`,
  noToken: {
    ended: $localize`Your sign-in has ended. Sign in again.`,
    unreachable: $localize`The sign-in service can’t be reached.`,
  },
  forbidden: {
    title: $localize`Not for this account`,
    text: $localize`This page is for operators and viewers.`,
    who: (name: string, role: string): string =>
      $localize`You are signed in as ${name}:name:, with the role ${role}:role:.`,
    toShop: $localize`Go to the shop`,
  },
} as const;
