/** In which environment variable a provider's key is. */

/** As their packages document it, where that is not made of the package's name. */
const DOCUMENTED: ReadonlyMap<string, string> = new Map([
  ['@ai-sdk/amazon-bedrock', 'AWS_BEARER_TOKEN_BEDROCK'],
  ['@ai-sdk/gateway', 'AI_GATEWAY_API_KEY'],
  ['@ai-sdk/google', 'GOOGLE_GENERATIVE_AI_API_KEY'],
  ['@ai-sdk/moonshotai', 'MOONSHOT_API_KEY'],
  ['@ai-sdk/openai-compatible', 'OPENAI_API_KEY'],
  ['@ai-sdk/togetherai', 'TOGETHER_API_KEY'],
  ['@openrouter/ai-sdk-provider', 'OPENROUTER_API_KEY'],
]);

/** `@ai-sdk/mistral` has its key in `MISTRAL_API_KEY`. */
export function keyNameOf(provider: string): string {
  const documented = DOCUMENTED.get(provider);
  if (documented !== undefined) return documented;
  const last = provider.split('/').at(-1) ?? provider;
  return `${last
    .replace(/\.\w+$/, '')
    .replaceAll(/\W/g, '_')
    .toUpperCase()}_API_KEY`;
}
