// Statistics may hold:
