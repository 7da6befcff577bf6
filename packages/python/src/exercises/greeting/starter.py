# Print the greeting.
