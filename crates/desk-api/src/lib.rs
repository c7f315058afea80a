//! The closed list of what a door can ask of the desk
