// Courier may hold:
