"""The recipes that ship, and how a recipe is read and checked."""
