/** The application's own sessions: who somebody is once a passkey has shown it. They allow reading, and signing nothing. */
import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import { checkLogin, type Login, type Stamped } from '../../../sdk/src/index.ts';
import { AppError } from './app-error.ts';
import type { Config } from './config.ts';
import { createExpiringMap } from './expiring-map.ts';

/** A visitor has a nonce to log in with, a user an organization. */
type Session = { readonly nonce: string } | { readonly user: Login };

const cookie = 'passkey-mint';
const eightHours = 8 * 60 * 60 * 1000;
const random = () => randomBytes(32).toString('base64url');

export function createSessions({ countersign }: Pick<Config, 'countersign'>) {
  const sessions = createExpiringMap<Session>(eightHours);
  const idOf = (ctx: Context) => ctx.cookies.get(cookie) ?? '';

  /** Under a new id each time, so that nobody can know it beforehand. */
  function begin(ctx: Context, session: Session): void {
    sessions.delete(idOf(ctx));
    const id = random();
    sessions.set(id, session);
    // Behind https add `secure: true`.
    ctx.cookies.set(cookie, id, { httpOnly: true, sameSite: 'strict', maxAge: eightHours, overwrite: true });
  }

  return {
    /** The nonce that this visitor's next login has to carry. */
    challenge(ctx: Context): string {
      const nonce = random();
      begin(ctx, { nonce });
      return nonce;
    },
    /** `stamped` is a whoami with the nonce; Countersign says whose passkey it was. */
    async logIn(ctx: Context, stamped: Stamped): Promise<void> {
      const session = sessions.get(idOf(ctx));
      // Forgotten before it is looked at: a nonce logs in once, whatever comes of it.
      sessions.delete(idOf(ctx));
      if (!session || !('nonce' in session))
        throw new AppError('signed-out', 'This sign-in was used already, or is too old.');
      begin(ctx, { user: await checkLogin(stamped, { ...countersign, nonce: session.nonce }) });
    },
    logOut(ctx: Context): void {
      sessions.delete(idOf(ctx));
      ctx.cookies.set(cookie);
    },
    /** Throws where nobody is signed in. */
    userOf(ctx: Context): Login {
      const session = sessions.get(idOf(ctx));
      if (session && 'user' in session) return session.user;
      throw new AppError('signed-out', 'You are signed out.');
    },
  };
}
