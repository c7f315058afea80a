// Where the page's backend comes from in the program itself: the app around it.
export { connect } from "./lib/backend";
