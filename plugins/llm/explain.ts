/**
 * Any failure of a request as an {@link LlmError}: what happened, where, and the remedy. What the
 * server says is part of it, cut, and never with a key in it: servers do echo them.
 */
import { LlmError } from './llm-error.ts';
import { retryAfterMs } from './retry.ts';

/** What a message may name. */
export interface Scene {
  /** As in the options: a URL, or a provider's name. */
  endpoint: string;
  /** Takes keys out of a text. */
  masked: (text: string) => string;
  now(): number;
  /** The environment variable that the key may be in. */
  keyName: string;
  hasKey: boolean;
}

const SAID_CHARS_MAX = 500;

export function explain(error: unknown, model: string, scene: Scene): LlmError {
  // the SDK wraps what was thrown while it read a body
  const own = causesOf(error).find((cause) => cause instanceof LlmError);
  if (own) return own;
  const { name, message } = textsOf(error);
  const said = saidBy(message, scene);
  if (isAnswer(error)) return explainAnswer(error, model, scene);
  // what it fetches of an input by itself has a status of its own
  if (name !== 'AI_DownloadError' && hasStatus(error)) {
    // a provider's own error for what it was answered; without that, it asked nobody
    const answer = causesOf(error).find((cause) => isAnswer(cause));
    if (!answer && !scene.hasKey && isForbidden(error.statusCode)) {
      return new LlmError('LLM_NOT_CONFIGURED', `${noKey(scene)}${said}`);
    }
    if (answer && answer.statusCode === undefined) return explainNetwork(answer, scene);
    const { responseHeaders, responseBody } = answer ?? {};
    const { message: words, statusCode } = error;
    const whole = { name, message: words, statusCode, responseHeaders, responseBody };
    return explainAnswer(whole, model, scene);
  }
  switch (name) {
    case 'AI_NoSuchModelError':
      return new LlmError('LLM_NO_MODEL', `${scene.endpoint} has no model ${model}`);
    case 'AI_LoadAPIKeyError':
      return new LlmError('LLM_NOT_CONFIGURED', `${noKey(scene)}${said}`);
    case 'AI_LoadSettingError':
      return new LlmError(
        'LLM_NOT_CONFIGURED',
        `${scene.endpoint} misses a setting: give it in the option settings, or let the plugin read ` +
          `its environment variable, with permissions.env${said}`,
      );
    case 'AI_InvalidPromptError':
    case 'AI_InvalidArgumentError':
    case 'AI_InvalidMessageRoleError':
    case 'AI_MessageConversionError':
    case 'AI_UnsupportedFunctionalityError':
    case 'AI_InvalidDataContentError':
    case 'AI_MissingToolResultsError':
    case 'AI_DownloadError':
      return new LlmError('LLM_INVALID_INPUT', `the input is not valid${said}`);
    default:
      if (isBrokenOff(error)) return brokenOff(scene);
      // what it sent in a stream, as it is
      if (!(error instanceof Error) && message !== '') {
        const answer = `${scene.endpoint} gave its answer up`;
        return new LlmError('LLM_SERVER_ERROR', `${answer}: ask again later${said}`, {
          isRetryable: true,
        });
      }
      return new LlmError(
        'LLM_BAD_RESPONSE',
        `${scene.endpoint} answered with what is no answer of a model${said}`,
      );
  }
}

export function brokenOff({ endpoint }: Scene): LlmError {
  return new LlmError(
    'LLM_DISCONNECTED',
    `${endpoint} broke off in the middle of its answer: ask again`,
    { isRetryable: true },
  );
}

/** As the AI SDK tells of an HTTP exchange. */
interface AnswerError extends Error {
  statusCode?: number | undefined;
  responseHeaders?: Record<string, string> | undefined;
  responseBody?: string | undefined;
}

function isAnswer(error: unknown): error is AnswerError {
  return error instanceof Error && error.name === 'AI_APICallError';
}

function hasStatus(error: unknown): error is Error & { statusCode: number } {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
}

function isForbidden(status: number): boolean {
  return status === 401 || status === 403;
}

function noKey({ endpoint, keyName }: Scene): string {
  return (
    `${endpoint} is asked without a key: set the environment variable ${keyName}, name another one ` +
    'in the option apiKeyEnv, or give llmPlugin the option apiKey'
  );
}

function explainAnswer(error: AnswerError, model: string, scene: Scene): LlmError {
  const { statusCode: status, responseHeaders = {}, responseBody = '' } = error;
  const { endpoint } = scene;
  const said = saidBy(error.message, scene);
  if (status === undefined) return explainNetwork(error, scene);
  const answer = `${endpoint} answered with ${String(status)}`;
  switch (true) {
    case isForbidden(status): {
      const remedy = scene.hasKey ? `is the key right, and may it use ${model}?` : noKey(scene);
      return new LlmError('LLM_UNAUTHORIZED', `${answer}: ${remedy}${said}`);
    }
    case status === 404:
      return new LlmError(
        'LLM_NO_MODEL',
        `${answer}: is there a model ${model}, and does baseUrl end as the server wants it, ` +
          `mostly in /v1?${said}`,
      );
    case status === 429: {
      const isSpent = /insufficient_quota|billing/.test(responseBody);
      return new LlmError(
        'LLM_RATE_LIMITED',
        `${answer}: ${isSpent ? 'the account has nothing left' : 'too many requests, ask less often'}${said}`,
        { isRetryable: !isSpent, retryAfterMs: retryAfterMs(responseHeaders, scene.now()) },
      );
    }
    case status === 408 || status === 409 || status === 425 || status >= 500:
      return new LlmError('LLM_SERVER_ERROR', `${answer}: ask again later${said}`, {
        isRetryable: status !== 501,
        retryAfterMs: retryAfterMs(responseHeaders, scene.now()),
      });
    case status >= 300 && status < 400:
      return new LlmError(
        'LLM_BAD_RESPONSE',
        `${answer}, a redirection, which is not followed: give the final address as baseUrl`,
      );
    case status >= 400:
      return new LlmError('LLM_REFUSED', `${answer}: it does not take this request${said}`);
    case isBrokenOff(error):
      return brokenOff(scene);
    default:
      return new LlmError(
        'LLM_BAD_RESPONSE',
        `${answer}, but not as a model does: is baseUrl that of an OpenAI-compatible server?${said}`,
      );
  }
}

function explainNetwork(error: Error, scene: Scene): LlmError {
  const code = causesOf(error)
    .map((cause) => ('code' in cause ? cause.code : undefined))
    .find((found) => typeof found === 'string');
  const why = code === undefined ? saidBy(error.message, scene) : ` (${code})`;
  return new LlmError(
    'LLM_UNREACHABLE',
    `cannot reach ${scene.endpoint}${why}: does it run, and is baseUrl right?`,
    { isRetryable: true },
  );
}

/** The connection ended inside a body, as fetch says, or before its end, as the SDK says. */
function isBrokenOff(error: unknown): boolean {
  return causesOf(error).some(
    (cause) =>
      cause.message === 'terminated' ||
      cause.message.endsWith('ended without a finish reason.') ||
      ('code' in cause && (cause.code === 'UND_ERR_SOCKET' || cause.code === 'ECONNRESET')),
  );
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  let next = error;
  while (next instanceof Error && causes.length < 8) {
    causes.push(next);
    next = next.cause;
  }
  return causes;
}

/** What the other side says, masked before it is cut: half a key would not be found. */
function saidBy(message: string, { masked }: Scene): string {
  const text = masked(message).replaceAll(/\s+/g, ' ').trim();
  if (text === '') return '';
  return `: ${text.length > SAID_CHARS_MAX ? `${text.slice(0, SAID_CHARS_MAX)}…` : text}`;
}

/** Errors inside a stream are what the server sent: any object. */
function textsOf(error: unknown): { name: string; message: string } {
  if (typeof error === 'string') return { name: '', message: error };
  if (typeof error !== 'object' || error === null) return { name: '', message: '' };
  const name = 'name' in error && typeof error.name === 'string' ? error.name : '';
  const message = 'message' in error && typeof error.message === 'string' ? error.message : '';
  return { name, message };
}
