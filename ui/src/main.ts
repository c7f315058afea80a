// Starts the page. Invariant: the market's code is loaded only once a vault is open.
import "./fonts.css";
import "./tokens.css";
import "./app.css";
import { connect } from "#door";
import { mount } from "svelte";
import Page from "./Page.svelte";
import { Entry } from "./state/entry.svelte";

const target = document.getElementById("app");
if (target) mount(Page, { target, props: { entry: new Entry(connect()) } });
