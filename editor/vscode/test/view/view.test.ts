import { afterAll } from "vitest";

import { closeBrowser } from "./browser";
import "./injection";
import "./talk";

afterAll(closeBrowser);
