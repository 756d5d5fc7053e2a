// Going on with the upstream's own conversation: what is sent, on which account, and what happens when it is gone. Over
// both transports, because they continue by different calls.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { PROGRAM_KEY, type Program, startProgram } from "../support/program.ts";

const MODEL = "grok-4";

const conversations = ({ simulator }: Program) =>
  simulator.accounts().filter(({ conversations: held }) => held.size > 0);

describe.each(["rest", "socket"] as const)("over %s", (transport) => {
  let program: Program;
  let client: OpenAI;
  beforeAll(async () => {
    program = await startProgram({
      accounts: ["sim-super-1", "sim-super-2", "sim-super-3"],
      env: { GROK2API_APP_TEMPORARY: "false", GROK2API_CHAT_TRANSPORT: transport },
    });
    client = new OpenAI({ apiKey: PROGRAM_KEY, baseURL: `${program.url}/v1`, maxRetries: 0 });
  });
  afterAll(() => program.stop());
  beforeEach(() => program.simulator.reset());

  const ask = async (input: string, more: object = {}) => {
    const { data, response } = await client.responses.create({ model: MODEL, input, ...more }).withResponse();
    return { ...data, continuation: response.headers.get("x-grok2api-continuation") };
  };
  /** What the upstream has heard, in order, whatever the transport. */
  const heard = (): string[] =>
    program.simulator
      .accounts()
      .flatMap(({ conversations: held }) => [...held.values()])
      .flatMap(({ responses }) => responses)
      .filter((one) => one["sender"] === "human")
      .map((one) => String(one["message"]));

  test("only what is new is sent, to the same account and conversation", async () => {
    const first = await ask("My name is Kim.");
    expect(first.continuation).toBeNull();
    const second = await ask("Who am I?", { previous_response_id: first.id });
    expect(second.continuation).toBe("continued");
    const third = await ask("Are you sure?", { previous_response_id: second.id });
    expect(third.continuation).toBe("continued");
    expect(heard()).toEqual(["My name is Kim.", "Who am I?", "Are you sure?"]);
    const [holder, ...others] = conversations(program);
    expect(others).toEqual([]);
    expect(holder?.conversations.size).toBe(1);
  });

  test("a streamed turn goes on as well", async () => {
    const first = await client.responses.stream({ model: MODEL, input: "One." }).finalResponse();
    const answer = await program.post("/v1/responses", {
      model: MODEL,
      input: "Two.",
      previous_response_id: first.id,
      stream: true,
    });
    expect(answer.headers.get("x-grok2api-continuation")).toBe("continued");
    expect(await answer.text()).toContain("event: response.completed");
    expect(heard()).toEqual(["One.", "Two."]);
  });

  test("the same instructions are not repeated, new ones are sent, others start anew", async () => {
    const first = await ask("One.", { instructions: "Be brief." });
    const same = await ask("Two.", { instructions: "Be brief.", previous_response_id: first.id });
    expect(same.continuation).toBe("continued");
    expect(heard()[1]).toBe("Two.");
    const other = await ask("Three.", { instructions: "Be long.", previous_response_id: same.id });
    expect(other.continuation).toBe("replayed");
    const without = await ask("Four.", { previous_response_id: same.id });
    expect(without.continuation).toBe("replayed");
    const plain = await ask("Five.");
    const added = await ask("Six.", { instructions: "Be brief.", previous_response_id: plain.id });
    expect(added.continuation).toBe("continued");
    expect(heard()).toContain("[system]\nBe brief.\n\n[user]\nSix.");
  });

  test.each([
    ["another model", { model: "grok-3" }],
    ["a form of the answer after another", { text: { format: { type: "text" }, verbosity: "low" }, instructions: "x" }],
  ])("%s starts anew", async (_, more) => {
    const first = await ask("One.", { instructions: "y" });
    expect((await ask("Two.", { previous_response_id: first.id, ...more })).continuation).toBe("replayed");
  });

  test("an answer that was cut here is told anew", async () => {
    const first = await ask("sim:long-50", { max_output_tokens: 5 });
    expect(first.status).toBe("incomplete");
    expect((await ask("Go on.", { previous_response_id: first.id })).continuation).toBe("replayed");
  });

  test("a conversation that the upstream has lost is told anew, with one answer and no blame", async () => {
    const first = await ask("My name is Kim.");
    for (const account of program.simulator.accounts()) account.conversations.clear();
    const second = await ask("Who am I?", { previous_response_id: first.id });
    expect(second.continuation).toBe("replayed");
    expect(second.status).toBe("completed");
    expect(heard()).toHaveLength(1);
    expect(heard()[0]).toMatch(/My name is Kim\.[^]*Who am I\?/);
    expect(
      program.composed.pool.all().every(({ status, fail_count: fails }) => status === "active" && fails === 0),
    ).toBe(true);
  });

  test("an account that is gone is replaced, and the new one told everything", async () => {
    const first = await ask("My name is Kim.");
    const [holder] = conversations(program);
    if (holder) holder.kind = "dead";
    const second = await ask("Who am I?", { previous_response_id: first.id });
    expect(second.continuation).toBe("replayed");
    expect(heard().filter((text) => /My name is Kim\.[^]*Who am I\?/.test(text))).toHaveLength(1);
    // From now on the conversation lives on the new account.
    expect((await ask("Sure?", { previous_response_id: second.id })).continuation).toBe("continued");
  });

  test("the result of a call goes on where the call was made", async () => {
    const tools = [{ type: "function" as const, name: "get_weather", parameters: { type: "object" }, strict: false }];
    const first = await ask("Weather? sim:tool", { tools });
    const [call] = first.output;
    if (call?.type !== "function_call") throw new Error("no call");
    const { data: second, response } = await client.responses
      .create({
        model: MODEL,
        tools,
        previous_response_id: first.id,
        input: [{ type: "function_call_output", call_id: call.call_id, output: "17 degrees" }],
      })
      .withResponse();
    expect(response.headers.get("x-grok2api-continuation")).toBe("continued");
    expect(second.output.map((item) => item.type)).toEqual(["message"]);
    const said = heard().find((text) => text.includes("17 degrees")) ?? "";
    expect(said).toContain(`[tool result for ${call.call_id}]`);
    expect(said).not.toContain("Weather?");
  });

  test("two turns may go on from the same answer", async () => {
    const first = await ask("One.");
    const [left, right] = await Promise.all([
      ask("Left.", { previous_response_id: first.id }),
      ask("Right.", { previous_response_id: first.id }),
    ]);
    expect([left.continuation, right.continuation]).toEqual(["continued", "continued"]);
    expect(heard().toSorted()).toEqual(["Left.", "One.", "Right."]);
  });
});
