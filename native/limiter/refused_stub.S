// The symbols that a slice does not have, for programs that link to them: what becomes of a call is decided when it is
// made (vgpu_refused), so nothing is looked up that nobody calls. Arguments are kept, whatever they are: without a slice
// the driver's own function gets them.
#if defined(__x86_64__)
#define REFUSED(name) \
	.globl name; .type name, @function; name: ; \
	endbr64; lea .Lname_##name(%rip), %rax; jmp refused; .size name, .-name; \
	.pushsection .rodata; .Lname_##name: .asciz #name; .popsection
	.text
refused:
	.cfi_startproc
	push %rdi
	.cfi_adjust_cfa_offset 8
	push %rsi
	.cfi_adjust_cfa_offset 8
	push %rdx
	.cfi_adjust_cfa_offset 8
	push %rcx
	.cfi_adjust_cfa_offset 8
	push %r8
	.cfi_adjust_cfa_offset 8
	push %r9
	.cfi_adjust_cfa_offset 8
	sub $8, %rsp
	.cfi_adjust_cfa_offset 8
	mov %rax, %rdi
	call vgpu_refused
	add $8, %rsp
	.cfi_adjust_cfa_offset -8
	pop %r9
	.cfi_adjust_cfa_offset -8
	pop %r8
	.cfi_adjust_cfa_offset -8
	pop %rcx
	.cfi_adjust_cfa_offset -8
	pop %rdx
	.cfi_adjust_cfa_offset -8
	pop %rsi
	.cfi_adjust_cfa_offset -8
	pop %rdi
	.cfi_adjust_cfa_offset -8
	jmp *%rax
	.cfi_endproc
#elif defined(__aarch64__)
#define REFUSED(name) \
	.globl name; .type name, %function; name: ; \
	hint 34; adrp x16, .Lname_##name; add x16, x16, :lo12:.Lname_##name; b refused; .size name, .-name; \
	.pushsection .rodata; .Lname_##name: .asciz #name; .popsection
	.text
refused:
	.cfi_startproc
	stp x29, x30, [sp, #-80]!
	.cfi_adjust_cfa_offset 80
	mov x29, sp
	stp x0, x1, [sp, #16]
	stp x2, x3, [sp, #32]
	stp x4, x5, [sp, #48]
	stp x6, x7, [sp, #64]
	mov x0, x16
	bl vgpu_refused
	mov x16, x0
	ldp x0, x1, [sp, #16]
	ldp x2, x3, [sp, #32]
	ldp x4, x5, [sp, #48]
	ldp x6, x7, [sp, #64]
	ldp x29, x30, [sp], #80
	.cfi_adjust_cfa_offset -80
	br x16
	.cfi_endproc
#else
#error "vgpu: x86-64 or arm64"
#endif
#include "generated/refused.inc"
	.hidden vgpu_refused
	.section .note.GNU-stack, "", %progbits
