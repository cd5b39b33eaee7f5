// Who may answer.
import type { Channel } from "./channel";

export interface Choices {
  personas: { name: string; description: string }[];
  /** the persona that answers when none is chosen */
  persona: string;
  /** provider/model, the configured ones first: the first of them answers when none is chosen */
  models: string[];
}

/**
 * The personas, and the models that the configuration names; with `ask` all that the configured servers have, too. Those are asked
 * for that, which may be work for the network: when somebody is about to choose a model, and not before.
 */
export async function choices(channel: Channel, ask: boolean): Promise<Choices> {
  const [personas, configured, models] = await Promise.all([
    channel.request("khoj/personas/list", {}),
    channel.request("khoj/config/get", {}),
    ask ? channel.request("khoj/models/list", {}) : undefined,
  ]);
  const { chat = [] } = (configured.config.models ?? {}) as { chat?: string[] };
  const found = (models?.providers ?? []).flatMap((one) => one.models);
  const fit = found.filter((one) => one.capabilities.length === 0 || one.capabilities.includes("chat"));
  return {
    personas: personas.personas.map(({ name, description }) => ({ name, description })),
    persona: personas.default,
    models: [...new Set([...chat, ...fit.map((one) => one.name)])],
  };
}
