// One round trip, and what the types must not let through. Compiled by `tsc --strict`, then run by Node.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

type User = components["schemas"]["User"];
type UserIn = components["schemas"]["UserIn"];

const api = createClient<paths>({ baseUrl: process.argv[2] ?? "" });

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`Not so: ${what}`);
}

async function createUser(body: UserIn): Promise<User> {
  const { data, error } = await api.POST("/users/", { body });
  if (error) throw new Error(`${error.code}: ${error.detail}`);
  return data;
}

const made = await createUser({
  name: "Grace",
  email: "grace@example.com",
  preferences: { skills: ["COBOL"], salary_min: 90000 },
  credentials: { years_experience: 3, degrees: ["PhD"] },
});
expect(made.updated_at === null, "a new user has not been changed");

const params = { path: { user_id: made.id } };
const read = await api.GET("/users/{user_id}", { params });
expect(read.data?.preferences.skills[0] === "COBOL", "what was sent comes back");

const patched = await api.PATCH("/users/{user_id}", { params, body: { preferences: { salary_min: null } } });
expect(patched.data?.preferences.salary_min === null, "null takes a field away");
expect(patched.data?.preferences.skills.length === 1, "a patch leaves the rest");

const stats = await api.PATCH("/users/{user_id}/stats", { params, body: { jobs_viewed: 1 } });
expect(stats.data?.jobs_viewed === 1, "stats are made with their user");

const listed = await api.GET("/interactions/user/{user_id}", {
  params: { ...params, query: { interaction_type: "viewed", limit: 10 } },
});
expect(listed.data?.length === 0, "a new user has done nothing");

const gone = await api.DELETE("/users/{user_id}", { params: { ...params, header: { "If-Match": "*" } } });
expect(gone.response.status === 204, "a user can be removed");

const missing = await api.GET("/users/{user_id}", { params });
expect(missing.error?.code === "not_found", "a problem is typed as well");

export const refused: UserIn[] = [
  // @ts-expect-error A required field is missing.
  { name: "Grace" },
  // @ts-expect-error There is no such field.
  { name: "Grace", email: "grace@example.com", nickname: "Amazing" },
  // @ts-expect-error A number is no string.
  { name: 1, email: "grace@example.com" },
];
